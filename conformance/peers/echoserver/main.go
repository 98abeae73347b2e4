// Command echoserver serves the Echo service with connect-go and with grpc-go, and says on which ports. It ends with its standard
// input.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"

	"connectrpc.com/connect"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

type text = wrapperspb.StringValue

const (
	service = "ringwire.peers.v1.Echo"
	failure = "no more of ☺"
)

func main() {
	fmt.Println("connect", serve(connectGo))
	fmt.Println("grpc", serve(grpcGo))
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func serve(with func(net.Listener)) int {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	go with(listener)
	return listener.Addr().(*net.TCPAddr).Port
}

// connectGo serves over HTTP/1.1, and over HTTP/2 with prior knowledge.
func connectGo(listener net.Listener) {
	mux := http.NewServeMux()
	handle := func(method string, handler http.Handler) { mux.Handle("/"+service+"/"+method, handler) }
	path := func(method string) string { return "/" + service + "/" + method }
	handle("Say", connect.NewUnaryHandler(path("Say"), func(_ context.Context, request *connect.Request[text]) (*connect.Response[text], error) {
		response := connect.NewResponse(wrapperspb.String(request.Msg.Value))
		for _, header := range []http.Header{response.Header(), response.Trailer()} {
			for _, name := range []string{"X-Echo", "X-Echo-Bin"} {
				if value := request.Header().Get(name); value != "" {
					header.Set(name, value)
				}
			}
		}
		return response, nil
	}, connect.WithIdempotency(connect.IdempotencyNoSideEffects)))
	handle("Fail", connect.NewUnaryHandler(path("Fail"), func(_ context.Context, request *connect.Request[text]) (*connect.Response[text], error) {
		return nil, connectFailure(request.Msg)
	}))
	waits := &waits{named: map[string]*wait{}}
	handle("Wait", connect.NewUnaryHandler(path("Wait"), func(ctx context.Context, request *connect.Request[text]) (*connect.Response[text], error) {
		return nil, waits.until(ctx, request.Msg)
	}))
	handle("Waits", connect.NewUnaryHandler(path("Waits"), func(_ context.Context, request *connect.Request[text]) (*connect.Response[text], error) {
		return connect.NewResponse(waits.begun(request.Msg)), nil
	}))
	handle("Waited", connect.NewUnaryHandler(path("Waited"), func(_ context.Context, request *connect.Request[text]) (*connect.Response[text], error) {
		return connect.NewResponse(waits.ended(request.Msg)), nil
	}))
	handle("Count", connect.NewServerStreamHandler(path("Count"), func(_ context.Context, request *connect.Request[text], stream *connect.ServerStream[text]) error {
		return count(request.Msg, stream.Send)
	}))
	handle("Join", connect.NewClientStreamHandler(path("Join"), func(_ context.Context, stream *connect.ClientStream[text]) (*connect.Response[text], error) {
		var words []string
		for stream.Receive() {
			words = append(words, stream.Msg().Value)
		}
		return connect.NewResponse(wrapperspb.String(strings.Join(words, ","))), stream.Err()
	}))
	handle("Chat", connect.NewBidiStreamHandler(path("Chat"), func(_ context.Context, stream *connect.BidiStream[text, text]) error {
		return chat(stream.Receive, stream.Send, func(word *text) error { return connectFailure(word) })
	}))
	server := &http.Server{Handler: mux, Protocols: new(http.Protocols)}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	_ = server.Serve(listener)
}

func connectFailure(word *text) error {
	err := connect.NewError(connect.CodeResourceExhausted, errors.New(failure))
	if detail, detailErr := connect.NewErrorDetail(word); detailErr == nil {
		err.AddDetail(detail)
	}
	return err
}

// echo is what grpc-go wants a service to be.
type echo interface{}

func grpcGo(listener net.Listener) {
	unary := func(method string, answer func(context.Context, *text) (*text, error)) grpc.MethodDesc {
		handler := func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			request := new(text)
			if err := decode(request); err != nil {
				return nil, err
			}
			return answer(ctx, request)
		}
		return grpc.MethodDesc{MethodName: method, Handler: handler}
	}
	stream := func(method string, client, server bool, answer func(grpc.ServerStream) error) grpc.StreamDesc {
		handler := func(_ any, stream grpc.ServerStream) error { return answer(stream) }
		return grpc.StreamDesc{StreamName: method, Handler: handler, ClientStreams: client, ServerStreams: server}
	}
	receive := func(stream grpc.ServerStream) func() (*text, error) {
		return func() (*text, error) {
			word := new(text)
			return word, stream.RecvMsg(word)
		}
	}
	send := func(stream grpc.ServerStream) func(*text) error {
		return func(word *text) error { return stream.SendMsg(word) }
	}
	waits := &waits{named: map[string]*wait{}}
	server := grpc.NewServer()
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: service,
		HandlerType: (*echo)(nil),
		Methods: []grpc.MethodDesc{
			unary("Say", func(ctx context.Context, request *text) (*text, error) {
				asked, _ := metadata.FromIncomingContext(ctx)
				answer := metadata.MD{}
				for _, name := range []string{"x-echo", "x-echo-bin"} {
					answer.Append(name, asked.Get(name)...)
				}
				_ = grpc.SetHeader(ctx, answer)
				_ = grpc.SetTrailer(ctx, answer)
				return request, nil
			}),
			unary("Fail", func(_ context.Context, request *text) (*text, error) { return nil, grpcFailure(request) }),
			unary("Wait", func(ctx context.Context, request *text) (*text, error) {
				return nil, status.FromContextError(waits.until(ctx, request)).Err()
			}),
			unary("Waits", func(_ context.Context, request *text) (*text, error) { return waits.begun(request), nil }),
			unary("Waited", func(_ context.Context, request *text) (*text, error) { return waits.ended(request), nil }),
		},
		Streams: []grpc.StreamDesc{
			stream("Count", false, true, func(stream grpc.ServerStream) error {
				request, err := receive(stream)()
				if err != nil {
					return err
				}
				return count(request, send(stream))
			}),
			stream("Join", true, false, func(stream grpc.ServerStream) error {
				var words []string
				for {
					word, err := receive(stream)()
					if errors.Is(err, io.EOF) {
						return send(stream)(wrapperspb.String(strings.Join(words, ",")))
					}
					if err != nil {
						return err
					}
					words = append(words, word.Value)
				}
			}),
			stream("Chat", true, true, func(stream grpc.ServerStream) error {
				return chat(receive(stream), send(stream), grpcFailure)
			}),
		},
	}, nil)
	_ = server.Serve(listener)
}

func grpcFailure(word *text) error {
	failed := status.New(codes.ResourceExhausted, failure)
	if detailed, err := failed.WithDetails(word); err == nil {
		failed = detailed
	}
	return failed.Err()
}

// waits are the calls that wait until they are no longer wanted, by the word that they came with.
type waits struct {
	lock  sync.Mutex
	named map[string]*wait
}

type wait struct {
	begun, ended chan struct{}
	err          error
}

func (waits *waits) of(word *text) *wait {
	waits.lock.Lock()
	defer waits.lock.Unlock()
	found, ok := waits.named[word.Value]
	if !ok {
		found = &wait{begun: make(chan struct{}), ended: make(chan struct{})}
		waits.named[word.Value] = found
	}
	return found
}

func (waits *waits) until(ctx context.Context, word *text) error {
	if word.Value == "" {
		<-ctx.Done()
		return ctx.Err()
	}
	wait := waits.of(word)
	close(wait.begun)
	<-ctx.Done()
	wait.err = ctx.Err()
	close(wait.ended)
	return wait.err
}

// begun answers once there is such a call.
func (waits *waits) begun(word *text) *text {
	<-waits.of(word).begun
	return word
}

// ended answers once it is no longer wanted, and says why.
func (waits *waits) ended(word *text) *text {
	wait := waits.of(word)
	<-wait.ended
	return wrapperspb.String(wait.err.Error())
}

func count(request *text, send func(*text) error) error {
	last, err := strconv.Atoi(request.Value)
	if err != nil {
		return err
	}
	for number := 1; number <= last; number++ {
		if err := send(wrapperspb.String(strconv.Itoa(number))); err != nil {
			return err
		}
	}
	return nil
}

func chat(receive func() (*text, error), send func(*text) error, fail func(*text) error) error {
	for {
		word, err := receive()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if word.Value == "fail" {
			return fail(word)
		}
		if err := send(wrapperspb.String(strings.ToUpper(word.Value))); err != nil {
			return err
		}
	}
}
