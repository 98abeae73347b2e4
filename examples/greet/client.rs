//! Greets somebody and says some lines: `client http://127.0.0.1:8080 Ada "how are you"`.

#![forbid(unsafe_code)]

use greet_rust::greet::v1::*;
use ringwire::{Channel, Error, Result};

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(origin), Some(name)) = (arguments.next(), arguments.next()) else {
        return Err(Error::invalid_argument("to be called as: client ORIGIN NAME LINE…"));
    };
    let greet = GreetClient::new(Channel::new(&origin)?);
    let reply = greet.greet(&GreetRequest { name, ..Default::default() }).await?;
    println!("{}", reply.greeting);

    let mut chat = greet.chat().await?;
    for line in arguments {
        chat.send(&ChatRequest { line, ..Default::default() }).await?;
    }
    chat.close_send().await?;
    while let Some(reply) = chat.next().await? {
        println!("{}", reply.line);
    }
    Ok(())
}
