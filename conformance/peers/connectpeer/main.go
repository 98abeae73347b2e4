// Command connectpeer calls the Echo service with connect-go, in one protocol, codec and HTTP version, and says what differs
// from what it should get. It exits 0 when nothing does.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

type (
	text   = wrapperspb.StringValue
	client = connect.Client[text, text]
)

var failed bool

func main() {
	url := flag.String("url", "", "where the server is, such as http://127.0.0.1:8080")
	protocol := flag.String("protocol", "connect", "connect, grpc or grpcweb")
	codec := flag.String("codec", "proto", "proto or json")
	http2 := flag.Bool("http2", true, "HTTP/2, with prior knowledge when there is no TLS")
	gzip := flag.Bool("gzip", false, "compress requests")
	get := flag.Bool("get", false, "use GET where that is possible")
	ca := flag.String("ca", "", "a PEM file with the certificate to trust, for https")
	chats := flag.Bool("chatty", false, "only hold 100 conversations of 1,000 messages each way, at once")
	flag.Parse()

	var options []connect.ClientOption
	switch *protocol {
	case "grpc":
		options = append(options, connect.WithGRPC())
	case "grpcweb":
		options = append(options, connect.WithGRPCWeb())
	}
	if *codec == "json" {
		options = append(options, connect.WithProtoJSON())
	}
	if *gzip {
		options = append(options, connect.WithSendGzip())
	}
	transport := &http.Transport{Protocols: new(http.Protocols), TLSClientConfig: trust(*ca)}
	transport.Protocols.SetHTTP1(!*http2)
	transport.Protocols.SetHTTP2(*http2)
	transport.Protocols.SetUnencryptedHTTP2(*http2)
	method := func(name string) *client {
		options := options
		if *get && name == "Say" {
			options = append(options, connect.WithHTTPGet(), connect.WithHTTPGetMaxURLSize(4096, true),
				connect.WithIdempotency(connect.IdempotencyNoSideEffects))
		}
		return connect.NewClient[text, text](&http.Client{Transport: transport}, *url+"/ringwire.peers.v1.Echo/"+name, options...)
	}

	if *chats {
		chatty(method("Chat"))
		end()
		return
	}
	say(method("Say"))
	large(method("Say"))
	many(method("Say"))
	fail(method("Fail"))
	wait(method("Wait"))
	missing(method("Missing"))
	count(method("Count"))
	join(method("Join"))
	// connect-go refuses bidirectional streams over HTTP/1.1 by itself.
	if *http2 {
		chat(method("Chat"))
		chatFails(method("Chat"))
		cancel(method("Chat"))
	}
	end()
}

func end() {
	if failed {
		os.Exit(1)
	}
}

func say(c *client) {
	request := connect.NewRequest(wrapperspb.String("hello ☺"))
	request.Header().Set("X-Echo", "echoed")
	request.Header().Set("X-Echo-Bin", connect.EncodeBinaryHeader([]byte{0, 255, 1}))
	response, err := c.CallUnary(context.Background(), request)
	if err != nil {
		differ("say", err, nil)
		return
	}
	expect("say", response.Msg.Value, "hello ☺")
	expect("say: header", response.Header().Get("X-Echo"), "echoed")
	for where, value := range map[string]string{"header": response.Header().Get("X-Echo-Bin"), "trailer": response.Trailer().Get("X-Echo-Bin")} {
		decoded, err := connect.DecodeBinaryHeader(value)
		if err != nil || !bytes.Equal(decoded, []byte{0, 255, 1}) {
			differ("say: binary "+where, value, "AP8B")
		}
	}
}

func large(c *client) {
	sent := strings.Repeat("0123456789abcdef", 6_000)
	response, err := c.CallUnary(context.Background(), connect.NewRequest(wrapperspb.String(sent)))
	if err != nil {
		differ("large", err, nil)
		return
	}
	expect("large", response.Msg.Value == sent, true)
}

func many(c *client) {
	results := make(chan error)
	for i := range 300 {
		go func() {
			sent := fmt.Sprint(i)
			response, err := c.CallUnary(context.Background(), connect.NewRequest(wrapperspb.String(sent)))
			if err == nil && response.Msg.Value != sent {
				err = fmt.Errorf("%q instead of %q", response.Msg.Value, sent)
			}
			results <- err
		}()
	}
	for range 300 {
		if err := <-results; err != nil {
			differ("many", err, nil)
		}
	}
}

func fail(c *client) {
	_, err := c.CallUnary(context.Background(), connect.NewRequest(wrapperspb.String("why")))
	expectFailure("fail", err)
}

func wait(c *client) {
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	_, err := c.CallUnary(ctx, connect.NewRequest(wrapperspb.String("")))
	expect("wait", connect.CodeOf(err), connect.CodeDeadlineExceeded)
}

func missing(c *client) {
	_, err := c.CallUnary(context.Background(), connect.NewRequest(wrapperspb.String("")))
	expect("missing", connect.CodeOf(err), connect.CodeUnimplemented)
}

func count(c *client) {
	stream, err := c.CallServerStream(context.Background(), connect.NewRequest(wrapperspb.String("5")))
	if err != nil {
		differ("count", err, nil)
		return
	}
	var got []string
	for stream.Receive() {
		got = append(got, stream.Msg().Value)
	}
	expect("count", strings.Join(got, " "), "1 2 3 4 5")
	expect("count: error", stream.Err(), nil)
	expect("count: close", stream.Close(), nil)
}

func join(c *client) {
	stream := c.CallClientStream(context.Background())
	for _, word := range []string{"a", "b", "", "c"} {
		expect("join: send", stream.Send(wrapperspb.String(word)), nil)
	}
	response, err := stream.CloseAndReceive()
	if err != nil {
		differ("join", err, nil)
		return
	}
	expect("join", response.Msg.Value, "a,b,,c")
}

func chat(c *client) {
	stream := c.CallBidiStream(context.Background())
	for _, word := range []string{"one", "two", "three"} {
		expect("chat: send", stream.Send(wrapperspb.String(word)), nil)
		reply, err := stream.Receive()
		if err != nil {
			differ("chat", err, nil)
			return
		}
		expect("chat", reply.Value, strings.ToUpper(word))
	}
	expect("chat: close", stream.CloseRequest(), nil)
	_, err := stream.Receive()
	expect("chat: end", errors.Is(err, io.EOF), true)
	expect("chat: close", stream.CloseResponse(), nil)
}

// chatty holds many conversations at once over one connection, each of many short messages.
func chatty(c *client) {
	results := make(chan error)
	for i := range 100 {
		go func() { results <- converse(c, i) }()
	}
	for range 100 {
		expect("chatty", <-results, nil)
	}
}

func converse(c *client, number int) error {
	stream := c.CallBidiStream(context.Background())
	for i := range 1000 {
		word := fmt.Sprintf("a%d-%d", number, i)
		if err := stream.Send(wrapperspb.String(word)); err != nil {
			return fmt.Errorf("message %d: %w", i, err)
		}
		reply, err := stream.Receive()
		if err != nil || reply.Value != strings.ToUpper(word) {
			return fmt.Errorf("message %d: %v, %w", i, reply, err)
		}
	}
	if err := stream.CloseRequest(); err != nil {
		return err
	}
	if _, err := stream.Receive(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("end: %w", err)
	}
	return stream.CloseResponse()
}

// chatFails does not close its half: the error has to come all the same.
func chatFails(c *client) {
	stream := c.CallBidiStream(context.Background())
	expect("chat fails: send", stream.Send(wrapperspb.String("fail")), nil)
	_, err := stream.Receive()
	expectFailure("chat fails", err)
	_ = stream.CloseRequest()
	_ = stream.CloseResponse()
}

func cancel(c *client) {
	ctx, cancel := context.WithCancel(context.Background())
	stream := c.CallBidiStream(ctx)
	expect("cancel: send", stream.Send(wrapperspb.String("x")), nil)
	_, err := stream.Receive()
	expect("cancel: receive", err, nil)
	cancel()
	_, err = stream.Receive()
	expect("cancel", connect.CodeOf(err), connect.CodeCanceled)
}

func expectFailure(name string, err error) {
	expect(name+": code", connect.CodeOf(err), connect.CodeResourceExhausted)
	var failure *connect.Error
	if !errors.As(err, &failure) {
		differ(name, err, "a connect.Error")
		return
	}
	expect(name+": message", failure.Message(), "no more of ☺")
	if len(failure.Details()) != 1 {
		differ(name+": details", len(failure.Details()), 1)
		return
	}
	detail, err := failure.Details()[0].Value()
	if err != nil {
		differ(name+": detail", err, nil)
		return
	}
	value, ok := detail.(*text)
	expect(name+": detail", ok && value.Value != "", true)
}

func trust(file string) *tls.Config {
	if file == "" {
		return nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	return &tls.Config{RootCAs: roots}
}

func expect[T comparable](name string, got, want T) {
	if got != want {
		differ(name, got, want)
	}
}

func differ(name string, got, want any) {
	failed = true
	fmt.Printf("%s: got %v, want %v\n", name, got, want)
}
