//! Looks after the shards from outside: one that is blocked cannot say so itself.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::handle::ServerState;
use crate::notice::Notice;
use crate::shard::now;

/// Watches until the server has ended.
pub(crate) fn spawn(server: &Arc<ServerState>) -> io::Result<()> {
    let server = Arc::downgrade(server);
    std::thread::Builder::new().name("ringwire-watch".to_owned()).spawn(move || watch(&server))?;
    Ok(())
}

fn watch(server: &Weak<ServerState>) {
    // Per shard that is blocked: the time after which it is told again.
    let mut told: BTreeMap<usize, Duration> = BTreeMap::new();
    loop {
        std::thread::park_timeout(INTERVAL);
        let Some(server) = server.upgrade() else { return };
        let states: Vec<_> = server.states().collect();
        if states.is_empty() {
            return;
        }
        for state in states {
            let Some((since, running)) = state.busy(now()) else {
                told.remove(&state.index);
                continue;
            };
            let bound = told.get(&state.index).copied().unwrap_or(BLOCKED);
            if since < BLOCKED {
                told.remove(&state.index);
            } else if since >= bound {
                // Ten times as late each time: a handler that never returns fills no log.
                told.insert(state.index, since * 10);
                server.notice(Notice::Blocked {
                    shard: state.index,
                    procedure: server.procedure(running),
                    since,
                });
            }
        }
    }
}

// A turn takes microseconds. Whatever takes so long keeps every other connection of the shard waiting.
const BLOCKED: Duration = Duration::from_millis(500);
const INTERVAL: Duration = Duration::from_millis(100);
