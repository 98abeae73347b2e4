mod greet;
use greet::*;
fn f<S: Greet>(s: S) { let _ = ringwire_service::Router::new().add(GreetServer::new(s)); }
