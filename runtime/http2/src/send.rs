//! The sending side: heads, bodies and trailers of streams, in turns.

use crate::connection::FRAMES_EARNED;
use crate::frame::{HEADER_LEN, flag, header, kind, put, put_long};
use crate::guard::Timer;
use crate::streams::{Ended, Finish, Key, Recv, Send};
use crate::{Connection, ErrorCode, Side};
use bytes::{Bytes, BytesMut};
use ringwire_hpack::{Block, Encoder};
use ringwire_http::{Fields, Headers, HeadersMut, Pace, Part, Reset, Server, StreamId};

/// An open stream of a [`Connection`].
#[derive(Debug)]
pub struct StreamMut<'a, R: Side> {
    connection: &'a mut Connection<R>,
    key: Key,
}

impl<'a, R: Side> StreamMut<'a, R> {
    pub(crate) fn new(connection: &'a mut Connection<R>, key: Key) -> Self {
        Self { connection, key }
    }

    /// The number of the stream.
    pub fn id(&self) -> StreamId {
        StreamId(self.key.id)
    }

    /// Lets `write` append fields or bytes of the body straight to what the connection sends, and sends them as the [`Part`]
    /// that it returns. A [`Part::Data`] that is empty and not the end sends nothing.
    ///
    /// If a whole response is sent before the request has ended, the stream is reset with [`Reset::NoError`].
    ///
    /// # Panics
    /// The part does not follow what was sent before: a second head, a body without a head, anything after the end. Or
    /// something was written that the part does not speak of.
    #[inline]
    pub fn write<T>(&mut self, write: impl FnOnce(&mut dyn HeadersMut, &mut BytesMut) -> (Part, T)) -> T {
        let connection = &mut *self.connection;
        let is_waiting = !connection.streams.at(self.key).queue.is_empty();
        let out = connection.queue.buffer();
        let start = out.len();
        out.extend_from_slice(&[0; HEADER_LEN]);
        if is_waiting {
            // Trailers must not be encoded before the body has left.
            let mut fields = Fields::new(connection.names);
            let (part, result) = write(&mut fields, out);
            connection.send_late(self.key, part, start, fields);
            return result;
        }
        let mut block = begin_block(&mut connection.encoder, &mut connection.scratch);
        let (part, result) = write(&mut block, out);
        connection.send(self.key, part, start);
        result
    }

    /// Sends bytes of the body; `end` if nothing follows. Large ones are not copied.
    ///
    /// # Panics
    /// No head was sent, or the end was.
    pub fn send_data(&mut self, data: Bytes, end: bool) {
        if data.len() <= COPY_MAX {
            return self.write(|_, out| {
                out.extend_from_slice(&data);
                (Part::Data { end }, ())
            });
        }
        self.connection.enqueue(self.key, data, end);
    }

    /// Sends trailers, which end the message.
    ///
    /// # Panics
    /// No head was sent, or the end was.
    pub fn send_trailers(&mut self, fields: impl FnOnce(&mut dyn HeadersMut)) {
        self.write(|sink, _| {
            fields(sink);
            (Part::Trailers, ())
        });
    }

    /// Ends the stream early. No event of it follows.
    pub fn reset(self, reset: Reset) {
        self.connection.remove(self.key, Ended::ResetHere);
        self.connection.put_reset(self.key.id, reset.into());
    }

    /// The number of bytes that the stream should be given now. If it is 0, an [`Event::Room`](ringwire_http::Event::Room)
    /// follows; what is sent all the same waits.
    pub fn room(&mut self) -> usize {
        let room = self.connection.room(self.key);
        let stream = self.connection.streams.at(self.key);
        if room == 0 && !stream.wants_room {
            stream.wants_room = true;
            self.connection.wants_room.push(self.key);
        }
        room
    }

    /// Takes note that the application has used up `len` bytes of the body, so that the peer may send as many more.
    pub fn release(&mut self, len: usize) {
        let stream = self.connection.streams.at(self.key);
        let len = u32::try_from(len).unwrap_or(u32::MAX).min(stream.unreleased);
        self.connection.release(self.key, len, len);
    }
}

impl StreamMut<'_, Server> {
    /// Sends the head of a response; `end` if nothing follows. A status of 1xx is interim, and another head follows.
    ///
    /// # Panics
    /// The head was sent before.
    pub fn send_head(&mut self, status: u16, end: bool, fields: impl FnOnce(&mut dyn HeadersMut)) {
        self.write(|sink, _| {
            fields(sink);
            (Part::Head { status, end }, ())
        });
    }
}

impl<R: Side> Connection<R> {
    /// Sends a part that was written at `start`, behind room for the header of a frame.
    #[inline(always)]
    fn send(&mut self, key: Key, part: Part, start: usize) {
        let written = self.queue.buffer().len() - start - HEADER_LEN;
        let stream = self.streams.at(key);
        match part {
            Part::Data { end } => {
                assert!(self.scratch.len() == BEFORE_BLOCK, "fields were written with a body");
                return self.send_data(key, start, written, end);
            }
            Part::Nothing => {
                assert!(self.scratch.len() == BEFORE_BLOCK, "fields were written, and nothing is sent");
            }
            Part::Head { status, end } => {
                assert!(stream.send == Send::Head, "a head comes once, before the body");
                if status >= 200 {
                    stream.send = Send::Body;
                }
                self.queue.buffer().truncate(start);
                self.put_block(key.id, end, Some(status));
                if end {
                    self.end_send(key);
                }
            }
            Part::Trailers => {
                assert!(stream.send == Send::Body, "trailers come after a head, and end the message");
                self.queue.buffer().truncate(start);
                self.put_block(key.id, true, None);
                self.end_send(key);
            }
        }
        assert!(written == 0, "a body was written, and something else is sent");
        if let Part::Nothing = part {
            self.queue.buffer().truncate(start);
        }
    }

    #[inline]
    fn send_data(&mut self, key: Key, start: usize, len: usize, end: bool) {
        let stream = self.streams.at(key);
        assert!(stream.send == Send::Body, "a body comes after its head, and before the end");
        let out = self.queue.buffer();
        if len == 0 && !end {
            return out.truncate(start);
        }
        let window = stream.send_window.min(self.send_window).max(0) as usize;
        if len > self.peer.frame_max.min(window) {
            let chunk = out.split_off(start + HEADER_LEN).freeze();
            out.truncate(start);
            return self.enqueue(key, chunk, end);
        }
        let flags = if end { flag::END_STREAM } else { 0 };
        out[start..start + HEADER_LEN].copy_from_slice(&header(len, kind::DATA, flags, key.id));
        stream.send_window -= len as i32;
        self.send_window -= len as i32;
        self.control_frames.earn(FRAMES_EARNED);
        if end {
            self.end_send(key);
        }
    }

    /// Sends a part on a stream whose queue is not empty.
    #[inline(never)]
    fn send_late(&mut self, key: Key, part: Part, start: usize, fields: Fields) {
        let out = self.queue.buffer();
        let chunk = out.split_off(start + HEADER_LEN).freeze();
        out.truncate(start);
        match part {
            Part::Nothing => {
                assert!(chunk.is_empty() && fields.is_empty(), "something was written, and nothing is sent");
            }
            Part::Data { end } => self.enqueue(key, chunk, end),
            Part::Trailers => {
                let stream = self.streams.at(key);
                assert!(stream.send == Send::Body, "trailers come after a head, and end the message");
                stream.send = Send::Flush;
                stream.queue.finish = Finish::Trailers(Box::new(fields));
                self.make_ready(key);
            }
            Part::Head { .. } => panic!("a head comes once, before the body"),
        }
    }

    #[inline(never)]
    fn enqueue(&mut self, key: Key, chunk: Bytes, end: bool) {
        let stream = self.streams.at(key);
        assert!(stream.send == Send::Body, "a body comes after its head, and before the end");
        stream.queue.push(chunk);
        if end {
            stream.send = Send::Flush;
            stream.queue.finish = Finish::End;
        }
        self.make_ready(key);
    }

    /// Gives the stream its turns, if it has anything to send.
    fn make_ready(&mut self, key: Key) {
        let Some(stream) = self.streams.get(key) else { return };
        if !stream.is_ready && !stream.is_blocked && !stream.queue.is_empty() {
            stream.is_ready = true;
            self.ready.push_back(key);
        }
    }

    /// The window of a stream has changed.
    #[inline]
    pub(crate) fn unblock(&mut self, key: Key) {
        let stream = self.streams.at(key);
        if stream.send_window > 0 && std::mem::take(&mut stream.is_blocked) {
            self.make_ready(key);
        }
    }

    /// The window of the connection, or those of all streams, have changed.
    pub(crate) fn unblock_all(&mut self) {
        if self.timers.is_set(Timer::Windows) {
            let keys: Vec<Key> = self.streams.keys().collect();
            keys.into_iter().for_each(|key| self.unblock(key));
        }
    }

    /// Begins a block, which `put_block` sends.
    pub(crate) fn begin_block(&mut self) -> Block<'_> {
        begin_block(&mut self.encoder, &mut self.scratch)
    }

    /// Appends the block in `scratch` as HEADERS; with a status, it is the head of a response.
    #[inline]
    pub(crate) fn put_block(&mut self, id: u32, end: bool, status: Option<u16>) {
        let mut start = BEFORE_BLOCK;
        if let Some(status) = status {
            let (line, len) = ringwire_hpack::status(status);
            self.scratch[HEADER_LEN..BEFORE_BLOCK].copy_from_slice(&line);
            start -= len;
        }
        let len = self.scratch.len() - start;
        if len > self.peer.frame_max || self.encoder.has_table_size() {
            return self.put_long_block(id, end, start);
        }
        let flags = if end { flag::END_STREAM | flag::END_HEADERS } else { flag::END_HEADERS };
        let frame = &mut self.scratch[start - HEADER_LEN..];
        frame[..HEADER_LEN].copy_from_slice(&header(len, kind::HEADERS, flags, id));
        self.queue.buffer().extend_from_slice(frame);
    }

    /// Appends a block that takes more than one frame, or begins with the size of the table.
    #[cold]
    fn put_long_block(&mut self, id: u32, end: bool, start: usize) {
        let mut block = Vec::new();
        self.encoder.put_table_size(&mut block);
        block.extend_from_slice(&self.scratch[start..]);
        put_long(self.queue.buffer(), id, end, &block, self.peer.frame_max);
    }

    /// This side has said everything on a stream.
    #[inline(always)]
    fn end_send(&mut self, key: Key) {
        let stream = self.streams.at(key);
        stream.send = Send::Ended;
        if stream.recv == Recv::Ended {
            self.end_stream(key, Ended::Whole);
        } else if R::IS_SERVER {
            // Section 8.1: a server that has answered may ask for no more of the request.
            self.remove(key, Ended::ResetHere);
            self.put_reset(key.id, ErrorCode::NO_ERROR);
        }
    }

    /// Fills the buffer with DATA of the streams that have some: one frame of each in turn.
    #[inline(never)]
    pub(crate) fn pump(&mut self) {
        while self.queue.len() < QUEUE_MAX
            && let Some(key) = self.ready.pop_front()
        {
            let Some(stream) = self.streams.get(key) else { continue };
            stream.is_ready = false;
            if stream.queue.bytes() == 0 {
                self.send_finish(key);
                continue;
            }
            let max = stream.send_window.min(self.send_window).min(self.peer.frame_max as i32);
            if max <= 0 {
                // A stream waits for its own window, or for its turn once the connection's opens.
                stream.is_blocked = true;
                stream.pace.get_or_insert(Pace::new(self.now));
                if !self.timers.is_set(Timer::Windows) {
                    self.timers.set_after(Timer::Windows, self.now, Some(self.limits.send_timeout));
                }
                continue;
            }
            self.send_queued(key, max as usize);
            self.make_ready(key);
        }
    }

    /// Sends one DATA frame of at most `max` bytes of what is queued.
    fn send_queued(&mut self, key: Key, max: usize) {
        let stream = self.streams.at(key);
        let len = stream.queue.bytes().min(max);
        let end = len == stream.queue.bytes() && matches!(stream.queue.finish, Finish::End);
        let flags = if end { flag::END_STREAM } else { 0 };
        self.queue.buffer().extend_from_slice(&header(len, kind::DATA, flags, key.id));
        let mut left = len;
        while left > 0
            && let Some(chunk) = stream.queue.pop(left)
        {
            left -= chunk.len();
            self.queue.push(chunk);
        }
        stream.send_window -= len as i32;
        self.send_window -= len as i32;
        self.control_frames.earn(FRAMES_EARNED);
        if stream.queue.bytes() == 0 {
            stream.pace = None;
        } else if let Some(pace) = &mut stream.pace {
            pace.take(len, self.now);
        }
        if end {
            stream.queue.finish = Finish::Open;
            self.end_send(key);
        }
    }

    /// Sends what follows a body that has left.
    fn send_finish(&mut self, key: Key) {
        let stream = self.streams.at(key);
        match std::mem::take(&mut stream.queue.finish) {
            Finish::Open => return,
            Finish::End => put(self.queue.buffer(), kind::DATA, flag::END_STREAM, key.id, &[]),
            Finish::Trailers(fields) => {
                let mut block = self.begin_block();
                fields.for_each(&mut |name, value| block.append(name, value));
                self.put_block(key.id, true, None);
            }
        }
        self.end_send(key);
    }

    pub(crate) fn room(&mut self, key: Key) -> usize {
        if self.queue.len() >= QUEUE_MAX {
            return 0;
        }
        let max = self.limits.send_buffer;
        self.streams.get(key).map_or(0, |stream| max.saturating_sub(stream.queue.bytes()))
    }

    /// Opens the window of a stream again by `len` bytes, of which the application had `unreleased`.
    #[inline]
    pub(crate) fn release(&mut self, key: Key, len: u32, unreleased: u32) {
        let Some(stream) = self.streams.get(key) else { return };
        stream.unreleased -= unreleased;
        stream.released += len;
        if stream.released >= stream.recv_window_size / 2 && stream.recv != Recv::Ended {
            self.open_stream_window(key);
        }
        if unreleased > 0 {
            self.release_connection(unreleased);
        }
    }

    #[cold]
    fn open_stream_window(&mut self, key: Key) {
        let stream = self.streams.at(key);
        let (size, updated) = (stream.recv_window_size, stream.window_updated);
        let grown = self.grown(size, self.limits.stream_window_max, updated);
        let now = self.now;
        let stream = self.streams.at(key);
        let increment = std::mem::take(&mut stream.released) + (grown - size);
        stream.recv_window_size = grown;
        stream.recv_window += increment as i32;
        stream.window_updated = now;
        put(self.queue.buffer(), kind::WINDOW_UPDATE, 0, key.id, &increment.to_be_bytes());
    }
}

/// Begins a block in `scratch`, behind room for what comes before it.
#[inline]
fn begin_block<'a>(encoder: &'a mut Encoder, scratch: &'a mut Vec<u8>) -> Block<'a> {
    scratch.truncate(BEFORE_BLOCK);
    encoder.block(scratch)
}

/// Longer bodies wait in the queue of their stream, and leave without a copy.
const COPY_MAX: usize = 4096;
/// With this many bytes to send, the transport has enough to do.
const QUEUE_MAX: usize = 256 * 1024;
/// Room before a block for the header of its frame, and the line of its status.
pub(crate) const BEFORE_BLOCK: usize = HEADER_LEN + 5;
