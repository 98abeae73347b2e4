//! The streams of a connection: <https://www.rfc-editor.org/rfc/rfc9113#section-5.1>.

use bytes::{Buf, Bytes};
use ringwire_http::{Fields, Pace};
use std::collections::VecDeque;
use std::time::Instant;

/// All streams that are open, and those that were lately.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    /// The open streams and their slots, in the order of their numbers.
    order: Vec<(u32, u32)>,
    slots: Vec<Stream>,
    free: Vec<u32>,
    /// The latest streams that have ended, each at the place that its number gives. 0 is no stream.
    ended: Vec<(u32, Ended)>,
    /// Streams up to this one may have ended and been forgotten.
    forgotten: u32,
}

/// The way in which a stream ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ended {
    /// Both sides had said everything.
    Whole,
    /// This side reset it. Frames that were on their way are not the peer's fault.
    ResetHere,
    /// The peer reset it.
    ResetByPeer,
}

/// What is known of a stream that is not open.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Past {
    /// It ended lately.
    Ended(Ended),
    /// It ended, or was never used, too long ago to tell.
    Forgotten,
    /// It was passed over.
    Skipped,
}

/// A place of an open stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Key {
    pub(crate) id: u32,
    slot: u32,
}

/// An open stream.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) id: u32,
    pub(crate) recv: Recv,
    pub(crate) send: Send,
    /// Bytes that the peer may still send.
    pub(crate) recv_window: i32,
    /// The size to which the window opens again.
    pub(crate) recv_window_size: u32,
    /// Bytes that the application has, and has not released.
    pub(crate) unreleased: u32,
    /// Bytes that the application has released, and the peer has not been told of.
    pub(crate) released: u32,
    /// The time of the last WINDOW_UPDATE.
    pub(crate) window_updated: Instant,
    /// Bytes that this side may still send.
    pub(crate) send_window: i32,
    /// What a content-length says is to come.
    pub(crate) content_left: Option<u64>,
    /// Whether the body is empty whatever a content-length says: the response to HEAD.
    pub(crate) bodiless: bool,
    pub(crate) queue: Queue,
    /// Whether the stream is among those with something to send.
    pub(crate) is_ready: bool,
    /// Whether the application waits for room.
    pub(crate) wants_room: bool,
    /// Whether the windows let nothing through.
    pub(crate) is_blocked: bool,
    /// What the peer takes of a queue for which its windows are too small.
    pub(crate) pace: Option<Pace>,
}

impl Stream {
    fn new(now: Instant) -> Self {
        Self {
            id: 0,
            recv: Recv::Ended,
            send: Send::Ended,
            recv_window: 0,
            recv_window_size: 0,
            unreleased: 0,
            released: 0,
            window_updated: now,
            send_window: 0,
            content_left: None,
            bodiless: false,
            queue: Queue::default(),
            is_ready: false,
            wants_room: false,
            is_blocked: false,
            pace: None,
        }
    }
}

/// What a stream expects to receive.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Recv {
    /// The head of a response.
    Head,
    /// The body, or trailers.
    Body,
    /// Nothing more.
    Ended,
}

/// What a stream may send.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Send {
    /// The head of a response.
    Head,
    /// The body, or trailers.
    Body,
    /// Nothing more, but the queue still holds something.
    Flush,
    /// Nothing more.
    Ended,
}

/// What a stream has to send and the windows, or the other streams, do not let through yet.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    chunks: VecDeque<Bytes>,
    len: usize,
    pub(crate) finish: Finish,
}

/// What follows the body.
#[derive(Debug, Default)]
pub(crate) enum Finish {
    /// It is not known yet.
    #[default]
    Open,
    /// Nothing.
    End,
    /// Trailers. They are encoded when they are sent, since blocks must travel in the order in which they are encoded.
    Trailers(Box<Fields>),
}

impl Queue {
    /// The bytes of the body.
    pub(crate) fn bytes(&self) -> usize {
        self.len
    }

    pub(crate) fn push(&mut self, chunk: Bytes) {
        if !chunk.is_empty() {
            self.len += chunk.len();
            self.chunks.push_back(chunk);
        }
    }

    /// Takes bytes off the front: at most `max`, and no more than a chunk has.
    pub(crate) fn pop(&mut self, max: usize) -> Option<Bytes> {
        let first = self.chunks.front_mut()?;
        let chunk = if first.len() <= max { self.chunks.pop_front()? } else { first.split_to(max) };
        self.len -= chunk.remaining();
        Some(chunk)
    }

    /// Whether there is neither a byte nor an end to send.
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0 && matches!(self.finish, Finish::Open)
    }

    fn clear(&mut self) {
        self.chunks.clear();
        self.len = 0;
        self.finish = Finish::Open;
    }
}

impl Streams {
    /// The number of open streams.
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    #[inline]
    pub(crate) fn find(&self, id: u32) -> Option<Key> {
        let place = match self.order.last() {
            None => return None,
            // Most often the stream that was opened last.
            Some(last) if last.0 == id => return Some(Key { id, slot: last.1 }),
            Some(last) if last.0 < id => return None,
            Some(_) => self.order.binary_search_by_key(&id, |(id, _)| *id).ok()?,
        };
        Some(Key { id, slot: self.order[place].1 })
    }

    /// The stream, if it is still open.
    pub(crate) fn get(&mut self, key: Key) -> Option<&mut Stream> {
        self.slots.get_mut(key.slot as usize).filter(|stream| stream.id == key.id)
    }

    /// The open stream at `key`.
    #[inline]
    pub(crate) fn at(&mut self, key: Key) -> &mut Stream {
        let stream = &mut self.slots[key.slot as usize];
        debug_assert_eq!(stream.id, key.id, "a key of an open stream");
        stream
    }

    /// Opens a stream. Its number is higher than any before. What is in it is that of another stream, but for the queue.
    #[inline]
    pub(crate) fn insert(&mut self, id: u32, now: Instant) -> Key {
        debug_assert!(self.order.last().is_none_or(|last| last.0 < id), "streams are opened in order");
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => self.add_slot(now),
        };
        self.slots[slot as usize].id = id;
        self.order.push((id, slot));
        Key { id, slot }
    }

    #[cold]
    fn add_slot(&mut self, now: Instant) -> u32 {
        self.slots.push(Stream::new(now));
        (self.slots.len() - 1) as u32
    }

    /// Ends a stream.
    #[inline]
    pub(crate) fn remove(&mut self, key: Key, ended: Ended) {
        if self.order.last().is_some_and(|last| last.0 == key.id) {
            self.order.pop();
        } else {
            self.remove_earlier(key.id);
        }
        let stream = &mut self.slots[key.slot as usize];
        stream.id = 0;
        if !stream.queue.is_empty() {
            stream.queue.clear();
        }
        self.free.push(key.slot);
        self.note_ended(key.id, ended);
    }

    #[inline(never)]
    fn remove_earlier(&mut self, id: u32) {
        let place = self.order.binary_search_by_key(&id, |(id, _)| *id).expect("an open stream");
        self.order.remove(place);
    }

    /// Remembers the end of a stream, perhaps one that was never opened.
    pub(crate) fn note_ended(&mut self, id: u32, ended: Ended) {
        let place = ended_place(id);
        if place >= self.ended.len() {
            self.grow_ended(place + 1);
        }
        let forgotten = std::mem::replace(&mut self.ended[place], (id, ended)).0;
        self.forgotten = self.forgotten.max(forgotten);
    }

    #[cold]
    fn grow_ended(&mut self, len: usize) {
        self.ended.resize(len, (0, Ended::Whole));
    }

    /// What became of a stream that was used, or passed over.
    pub(crate) fn past(&self, id: u32) -> Past {
        match self.ended.get(ended_place(id)) {
            Some((other, ended)) if *other == id => Past::Ended(*ended),
            _ if id <= self.forgotten => Past::Forgotten,
            _ => Past::Skipped,
        }
    }

    /// The keys of the open streams, in the order of their numbers.
    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> {
        self.order.iter().map(|&(id, slot)| Key { id, slot })
    }

    /// The open stream with the highest number.
    pub(crate) fn last(&self) -> Option<Key> {
        self.order.last().map(|&(id, slot)| Key { id, slot })
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.slots.iter_mut().filter(|stream| stream.id != 0)
    }
}

/// The place of a stream among those that have ended. Clients open the odd numbers, one after the other.
fn ended_place(id: u32) -> usize {
    id as usize / 2 % ENDED_KEPT
}

/// A peer's frames for a stream that has ended are judged by how it ended, for this many streams.
const ENDED_KEPT: usize = 256;
