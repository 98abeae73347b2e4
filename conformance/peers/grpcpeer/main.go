// Command grpcpeer calls the Echo service with grpc-go, and says what differs from what it should get. It exits 0 when
// nothing does.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const service = "/ringwire.peers.v1.Echo/"

var failed bool

func main() {
	target := flag.String("target", "", "where the server is, such as 127.0.0.1:8080")
	compress := flag.Bool("gzip", false, "compress requests")
	ca := flag.String("ca", "", "a PEM file with the certificate to trust; TLS is used when it is given")
	chats := flag.Bool("chatty", false, "only hold 100 conversations of 1,000 messages each way, at once")
	flag.Parse()

	security := insecure.NewCredentials()
	if *ca != "" {
		var err error
		if security, err = credentials.NewClientTLSFromFile(*ca, "localhost"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	options := []grpc.DialOption{grpc.WithTransportCredentials(security)}
	if *compress {
		options = append(options, grpc.WithDefaultCallOptions(grpc.UseCompressor(gzip.Name)))
	}
	connection, err := grpc.NewClient(*target, options...)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	defer connection.Close()

	if *chats {
		chatty(connection)
		end()
		return
	}
	say(connection)
	large(connection)
	many(connection)
	fail(connection)
	wait(connection)
	missing(connection)
	count(connection)
	join(connection)
	chat(connection)
	chatFails(connection)
	cancel(connection)
	end()
}

func end() {
	if failed {
		os.Exit(1)
	}
}

func call(ctx context.Context, c *grpc.ClientConn, method, sent string, options ...grpc.CallOption) (string, error) {
	reply := new(wrapperspb.StringValue)
	err := c.Invoke(ctx, service+method, wrapperspb.String(sent), reply, options...)
	return reply.Value, err
}

func say(c *grpc.ClientConn) {
	ctx := metadata.AppendToOutgoingContext(context.Background(), "x-echo", "echoed", "x-echo-bin", "\x00\xff\x01")
	var header, trailer metadata.MD
	reply, err := call(ctx, c, "Say", "hello ☺", grpc.Header(&header), grpc.Trailer(&trailer))
	expect("say: error", err, nil)
	expect("say", reply, "hello ☺")
	expect("say: header", strings.Join(header["x-echo"], ","), "echoed")
	expect("say: binary header", strings.Join(header["x-echo-bin"], ","), "\x00\xff\x01")
	expect("say: binary trailer", strings.Join(trailer["x-echo-bin"], ","), "\x00\xff\x01")
}

func large(c *grpc.ClientConn) {
	sent := strings.Repeat("0123456789abcdef", 100_000)
	reply, err := call(context.Background(), c, "Say", sent)
	expect("large: error", err, nil)
	expect("large", reply == sent, true)
}

func many(c *grpc.ClientConn) {
	results := make(chan error)
	for i := range 1000 {
		go func() {
			sent := fmt.Sprint(i)
			reply, err := call(context.Background(), c, "Say", sent)
			if err == nil && reply != sent {
				err = fmt.Errorf("%q instead of %q", reply, sent)
			}
			results <- err
		}()
	}
	for range 1000 {
		expect("many", <-results, nil)
	}
}

func fail(c *grpc.ClientConn) {
	_, err := call(context.Background(), c, "Fail", "why")
	expectFailure("fail", err)
}

func wait(c *grpc.ClientConn) {
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	_, err := call(ctx, c, "Wait", "")
	expect("wait", status.Code(err), codes.DeadlineExceeded)
}

func missing(c *grpc.ClientConn) {
	_, err := call(context.Background(), c, "Missing", "")
	expect("missing", status.Code(err), codes.Unimplemented)
}

func open(ctx context.Context, c *grpc.ClientConn, method string, client, server bool) grpc.ClientStream {
	desc := &grpc.StreamDesc{ClientStreams: client, ServerStreams: server}
	stream, err := c.NewStream(ctx, desc, service+method)
	if err != nil {
		fmt.Println(method, err)
		os.Exit(1)
	}
	return stream
}

func receive(stream grpc.ClientStream) (string, error) {
	reply := new(wrapperspb.StringValue)
	err := stream.RecvMsg(reply)
	return reply.Value, err
}

func count(c *grpc.ClientConn) {
	stream := open(context.Background(), c, "Count", false, true)
	expect("count: send", stream.SendMsg(wrapperspb.String("5")), nil)
	expect("count: close", stream.CloseSend(), nil)
	var got []string
	for {
		reply, err := receive(stream)
		if err != nil {
			expect("count: end", errors.Is(err, io.EOF), true)
			break
		}
		got = append(got, reply)
	}
	expect("count", strings.Join(got, " "), "1 2 3 4 5")
}

func join(c *grpc.ClientConn) {
	stream := open(context.Background(), c, "Join", true, false)
	for _, word := range []string{"a", "b", "", "c"} {
		expect("join: send", stream.SendMsg(wrapperspb.String(word)), nil)
	}
	expect("join: close", stream.CloseSend(), nil)
	reply, err := receive(stream)
	expect("join: error", err, nil)
	expect("join", reply, "a,b,,c")
}

func chat(c *grpc.ClientConn) {
	stream := open(context.Background(), c, "Chat", true, true)
	for _, word := range []string{"one", "two", "three"} {
		expect("chat: send", stream.SendMsg(wrapperspb.String(word)), nil)
		reply, err := receive(stream)
		expect("chat: error", err, nil)
		expect("chat", reply, strings.ToUpper(word))
	}
	expect("chat: close", stream.CloseSend(), nil)
	_, err := receive(stream)
	expect("chat: end", errors.Is(err, io.EOF), true)
}

// chatty holds many conversations at once over one connection, each of many short messages.
func chatty(c *grpc.ClientConn) {
	results := make(chan error)
	for i := range 100 {
		go func() { results <- converse(c, i) }()
	}
	for range 100 {
		expect("chatty", <-results, nil)
	}
}

func converse(c *grpc.ClientConn, number int) error {
	stream := open(context.Background(), c, "Chat", true, true)
	for i := range 1000 {
		word := fmt.Sprintf("a%d-%d", number, i)
		if err := stream.SendMsg(wrapperspb.String(word)); err != nil {
			return fmt.Errorf("message %d: %w", i, err)
		}
		reply, err := receive(stream)
		if err != nil || reply != strings.ToUpper(word) {
			return fmt.Errorf("message %d: %q, %w", i, reply, err)
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	if _, err := receive(stream); !errors.Is(err, io.EOF) {
		return fmt.Errorf("end: %w", err)
	}
	return nil
}

// chatFails does not close its half: the error has to come all the same.
func chatFails(c *grpc.ClientConn) {
	stream := open(context.Background(), c, "Chat", true, true)
	expect("chat fails: send", stream.SendMsg(wrapperspb.String("fail")), nil)
	_, err := receive(stream)
	expectFailure("chat fails", err)
}

func cancel(c *grpc.ClientConn) {
	ctx, cancel := context.WithCancel(context.Background())
	stream := open(ctx, c, "Chat", true, true)
	expect("cancel: send", stream.SendMsg(wrapperspb.String("x")), nil)
	_, err := receive(stream)
	expect("cancel: receive", err, nil)
	cancel()
	_, err = receive(stream)
	expect("cancel", status.Code(err), codes.Canceled)
}

func expectFailure(name string, err error) {
	failure := status.Convert(err)
	expect(name+": code", failure.Code(), codes.ResourceExhausted)
	expect(name+": message", failure.Message(), "no more of ☺")
	if len(failure.Details()) != 1 {
		expect(name+": details", len(failure.Details()), 1)
		return
	}
	detail, ok := failure.Details()[0].(*wrapperspb.StringValue)
	expect(name+": detail", ok && detail.Value != "", true)
}

func expect[T comparable](name string, got, want T) {
	if got != want {
		failed = true
		fmt.Printf("%s: got %v, want %v\n", name, got, want)
	}
}
