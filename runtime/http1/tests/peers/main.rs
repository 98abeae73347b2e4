//! Other implementations at the other end: hyper in memory, curl over a socket.

mod curl;
mod hyper;
mod shell;
