//! The receiving side: bytes to frames, frames to events.

use crate::connection::{FRAMES_EARNED, Life};
use crate::frame::{FrameHeader, HEADER_LEN, PREFACE, WINDOW_MAX, flag, kind, put, setting};
use crate::guard::Timer;
use crate::heads::Read;
use crate::outcome::Checked;
use crate::streams::{Ended, Key, Past, Recv, Send};
use crate::{Connection, ErrorCode, Guard, Outcome, Side};
use bytes::Buf;
use ringwire_hpack::DecodeError;
use ringwire_http::{Event, Reset, Role, StreamId};
use std::time::Duration;

/// What the input goes on with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reading {
    /// The client's preface.
    Preface,
    /// The header of the first frame, which holds settings.
    Settings,
    /// The header of a frame.
    Header,
    /// The payload of a frame.
    Payload(FrameHeader),
    /// The length of the padding of a DATA frame.
    PadLength(FrameHeader),
    /// The body in a DATA frame.
    Data { key: Key, left: usize, padding: usize, end: bool },
    /// Bytes that nobody needs.
    Skip(usize),
}

/// A header block of which more is to come.
#[derive(Debug)]
pub(crate) struct Block {
    stream: u32,
    end: bool,
    faulty: bool,
    continuations: u32,
    bytes: Vec<u8>,
}

/// The event that a step over the input has led to, if any.
type Stepped<R> = Checked<Option<Event<<R as Role>::Head>>>;

impl<R: Side> Connection<R> {
    /// Reads on, up to the next event; `None` if the input is used up.
    pub fn poll_event(&mut self) -> Option<Event<R::Head>> {
        loop {
            if !self.events.is_empty() {
                return self.events.pop_front();
            }
            if self.input.is_empty() {
                self.expect_rest();
                return None;
            }
            let event = self.step();
            if event.is_some() {
                return event;
            }
        }
    }

    /// Reads on. The input is not empty: what is left of it is the beginning of something.
    #[inline(always)]
    fn step(&mut self) -> Option<Event<R::Head>> {
        if let Reading::Header = self.reading
            && self.partial.is_empty()
            && let Some(bytes) = self.input.first_chunk()
        {
            let header = FrameHeader::parse(bytes);
            self.input.advance(HEADER_LEN);
            return self.begin_frame(header);
        }
        let stepped = self.go_on();
        self.unless_failed(stepped)
    }

    /// Goes on with what has come in pieces.
    #[inline(never)]
    fn go_on(&mut self) -> Stepped<R> {
        match self.reading {
            Reading::Header | Reading::Settings => self.split_header(),
            Reading::Data { key, left, padding, end } => Ok(self.data(key, left, padding, end)),
            Reading::Payload(header) => self.split_payload(header),
            Reading::PadLength(header) => {
                let padding = self.input.get_u8();
                Ok(self.begin_data(header, usize::from(padding) + 1))
            }
            Reading::Skip(len) => {
                let skipped = len.min(self.input.len());
                self.input.advance(skipped);
                self.skip(len - skipped);
                Ok(None)
            }
            Reading::Preface => self.preface(),
        }
    }

    fn unless_failed(&mut self, stepped: Stepped<R>) -> Option<Event<R::Head>> {
        stepped.unwrap_or_else(|outcome| self.failed(outcome))
    }

    #[cold]
    #[expect(clippy::boxed_local, reason = "it is one where it comes from")]
    fn failed(&mut self, outcome: Box<Outcome>) -> Option<Event<R::Head>> {
        self.fail(*outcome);
        None
    }

    #[cold]
    fn preface(&mut self) -> Stepped<R> {
        let is_whole = self.fill_partial(PREFACE.len());
        if !PREFACE.starts_with(&self.partial) {
            return Err(protocol("no preface"));
        }
        if is_whole {
            self.clear_partial();
            self.reading = Reading::Settings;
        }
        Ok(None)
    }

    /// Takes a frame's header that has come in pieces, or the first of all.
    #[cold]
    fn split_header(&mut self) -> Stepped<R> {
        if !self.fill_partial(HEADER_LEN) {
            return Ok(None);
        }
        let header = FrameHeader::parse(self.partial.first_chunk().expect("a header's length"));
        self.clear_partial();
        if let Reading::Settings = self.reading
            && (header.kind != kind::SETTINGS || header.has(flag::ACK))
        {
            return Err(protocol("the first frame is not SETTINGS"));
        }
        Ok(self.begin_frame(header))
    }

    /// Moves bytes to `partial`, as far as there are any, until it has `len`.
    fn fill_partial(&mut self, len: usize) -> bool {
        let missing = len.saturating_sub(self.partial.len()).min(self.input.len());
        self.partial.extend_from_slice(&self.input[..missing]);
        self.input.advance(missing);
        self.partial.len() == len
    }

    fn clear_partial(&mut self) {
        if self.partial.capacity() > PARTIAL_KEPT {
            self.partial = Vec::new();
        } else {
            self.partial.clear();
        }
    }

    /// The peer must complete what it has begun.
    #[inline]
    fn expect_rest(&mut self) {
        let len = match self.reading {
            Reading::Header if self.partial.is_empty() && self.block.is_none() => {
                return self.timers.clear(Timer::Frame);
            }
            Reading::Preface | Reading::Settings => return,
            Reading::Header | Reading::PadLength(_) => 0,
            Reading::Payload(header) => header.len,
            Reading::Data { left, padding, .. } => left + padding,
            Reading::Skip(left) => left,
        };
        if !self.timers.is_set(Timer::Frame) {
            let rate = u64::from(self.limits.bytes_per_second_min.max(1));
            let wait = self.limits.frame_timeout + Duration::from_secs(len as u64 / rate);
            self.timers.set_after(Timer::Frame, self.now, Some(wait));
        }
    }

    #[inline(always)]
    fn begin_frame(&mut self, header: FrameHeader) -> Option<Event<R::Head>> {
        if self.block.is_none() {
            // A header block has one time for all of its frames.
            self.timers.clear(Timer::Frame);
        } else if header.kind != kind::CONTINUATION {
            return self.failed(protocol("a frame within a header block"));
        }
        if header.len > self.limits.frame_max as usize {
            return self.failed(frame_size("a frame larger than the setting"));
        }
        match header.kind {
            kind::DATA if !header.has(flag::PADDED) => self.begin_data(header, 0),
            kind::DATA if header.len == 0 => {
                self.failed(frame_size("DATA without the length of its padding"))
            }
            kind::DATA => {
                self.reading = Reading::PadLength(header);
                None
            }
            // The head of a request, most often, is read where it lies.
            kind::HEADERS
                if header.flags & (flag::PADDED | flag::PRIORITY | flag::END_HEADERS)
                    == flag::END_HEADERS
                    && header.len <= self.input.len()
                    && self.takes_request(header.stream) =>
            {
                let read = R::read(&mut self.heads, &self.input[..header.len]);
                self.input.advance(header.len);
                self.reading = Reading::Header;
                self.begin_request(header.stream, header.has(flag::END_STREAM), false, read)
            }
            _ => {
                let stepped = self.payload(header);
                self.unless_failed(stepped)
            }
        }
    }

    /// Begins with the body of a DATA frame. `padding` includes the byte of its length, which has been read.
    #[inline(always)]
    fn begin_data(&mut self, header: FrameHeader, padding: usize) -> Option<Event<R::Head>> {
        let Some(len) = header.len.checked_sub(padding) else {
            return self.failed(protocol("padding longer than its frame"));
        };
        let rest = header.len - usize::from(padding > 0);
        match self.take_data(header, len) {
            Ok(Some(key)) => {
                if padding > 0 {
                    self.release(key, padding as u32, 0);
                }
                self.data(key, len, rest - len, header.has(flag::END_STREAM))
            }
            Ok(None) => {
                self.skip(rest);
                None
            }
            Err(outcome) => self.failed(outcome),
        }
    }

    /// Takes a DATA frame with `len` bytes of a body into account. Returns the stream, if it gets the body.
    #[inline(always)]
    fn take_data(&mut self, header: FrameHeader, len: usize) -> Checked<Option<Key>> {
        let Some(key) = self.streams.find(header.stream) else {
            self.take_window(header.len)?;
            if header.len == 0 {
                self.count_control_frame()?;
            }
            return self.data_on_closed(header.stream).map(|()| None);
        };
        // It counts as unreleased before the window opens again.
        self.streams.at(key).unreleased += len as u32;
        self.unreleased += len;
        self.take_window(header.len)?;
        let end = header.has(flag::END_STREAM);
        let stream = self.streams.at(key);
        stream.recv_window -= header.len as i32;
        if stream.recv != Recv::Body {
            let code =
                if stream.recv == Recv::Head { ErrorCode::PROTOCOL_ERROR } else { ErrorCode::STREAM_CLOSED };
            return self.fault(key, code).map(|()| None);
        }
        if stream.recv_window < 0 {
            return self.fault(key, ErrorCode::FLOW_CONTROL_ERROR).map(|()| None);
        }
        if let Some(left) = &mut stream.content_left {
            match left.checked_sub(len as u64) {
                Some(rest) if rest == 0 || !end => *left = rest,
                _ => return self.fault(key, ErrorCode::PROTOCOL_ERROR).map(|()| None),
            }
        }
        if len == 0 && !end {
            let padding = header.len as u32;
            self.release(key, padding, 0);
            return self.count_control_frame().map(|()| None);
        }
        self.control_frames.earn(FRAMES_EARNED);
        Ok(Some(key))
    }

    #[cold]
    fn data_on_closed(&mut self, id: u32) -> Checked<()> {
        if self.is_idle_stream(id) {
            return Err(protocol(if id == 0 { "DATA on stream 0" } else { "DATA on an idle stream" }));
        }
        match self.streams.past(id) {
            Past::Ended(Ended::ResetHere) | Past::Forgotten => Ok(()),
            Past::Ended(Ended::ResetByPeer) => self.refuse(id, ErrorCode::STREAM_CLOSED),
            Past::Ended(Ended::Whole) | Past::Skipped => Err(closed("DATA on a closed stream")),
        }
    }

    #[inline]
    fn skip(&mut self, len: usize) {
        self.reading = if len == 0 { Reading::Header } else { Reading::Skip(len) };
    }

    /// Hands on what has come of the body in a DATA frame.
    #[inline(always)]
    fn data(&mut self, key: Key, left: usize, padding: usize, end: bool) -> Option<Event<R::Head>> {
        let len = left.min(self.input.len());
        if self.streams.get(key).is_none() {
            self.reading = Reading::Skip(left + padding);
            return None;
        }
        if len == 0 && left > 0 {
            self.reading = Reading::Data { key, left, padding, end };
            return None;
        }
        let data =
            if len == self.input.len() { std::mem::take(&mut self.input) } else { self.input.split_to(len) };
        let left = left - len;
        if left > 0 {
            self.reading = Reading::Data { key, left, padding, end };
        } else {
            self.skip(padding);
        }
        let end = end && left == 0;
        if end {
            self.end_recv(key);
        }
        Some(Event::Data { stream: StreamId(key.id), data, end })
    }

    /// The peer has ended its side of the stream.
    #[inline]
    fn end_recv(&mut self, key: Key) {
        let stream = self.streams.at(key);
        stream.recv = Recv::Ended;
        if stream.send == Send::Ended {
            self.remove(key, Ended::Whole);
        }
    }

    fn payload(&mut self, header: FrameHeader) -> Stepped<R> {
        if self.input.len() < header.len {
            return self.split_payload(header);
        }
        self.reading = Reading::Header;
        let mut input = std::mem::take(&mut self.input);
        let step = self.frame(header, &input[..header.len]);
        input.advance(header.len);
        if !self.has_ended() {
            self.input = input;
        }
        step
    }

    /// Takes a payload that has come in pieces.
    #[cold]
    fn split_payload(&mut self, header: FrameHeader) -> Stepped<R> {
        if !self.fill_partial(header.len) {
            self.reading = Reading::Payload(header);
            return Ok(None);
        }
        self.reading = Reading::Header;
        let partial = std::mem::take(&mut self.partial);
        let step = self.frame(header, &partial);
        self.partial = partial;
        self.clear_partial();
        step
    }

    fn frame(&mut self, header: FrameHeader, payload: &[u8]) -> Stepped<R> {
        match header.kind {
            kind::HEADERS => return self.headers(header, payload),
            kind::CONTINUATION => return self.continuation(header, payload),
            kind::WINDOW_UPDATE => self.window_update(header, payload)?,
            kind::RST_STREAM => return self.rst_stream(header, payload),
            kind::SETTINGS => self.settings(header, payload)?,
            kind::PING => self.ping(header, payload)?,
            kind::GOAWAY => self.goaway(header, payload)?,
            kind::PRIORITY => self.priority(header, payload)?,
            kind::PUSH_PROMISE => return Err(protocol("PUSH_PROMISE, which is not allowed")),
            // Section 4.1: types that are not known are ignored.
            _ => self.count_control_frame()?,
        }
        Ok(None)
    }

    fn headers(&mut self, header: FrameHeader, payload: &[u8]) -> Stepped<R> {
        if header.stream == 0 {
            return Err(protocol("HEADERS on stream 0"));
        }
        let mut fragment = payload;
        let mut faulty = false;
        if header.has(flag::PADDED) {
            let (&padding, rest) = fragment
                .split_first()
                .ok_or_else(|| frame_size("HEADERS without the length of its padding"))?;
            let len = rest
                .len()
                .checked_sub(usize::from(padding))
                .ok_or_else(|| protocol("padding longer than its frame"))?;
            fragment = &rest[..len];
        }
        if header.has(flag::PRIORITY) {
            let (priority, rest) = fragment
                .split_first_chunk::<5>()
                .ok_or_else(|| frame_size("HEADERS without its priority"))?;
            faulty = depends_on(priority) == header.stream;
            fragment = rest;
        }
        let end = header.has(flag::END_STREAM);
        if header.has(flag::END_HEADERS) {
            return self.header_block(header.stream, end, faulty, fragment);
        }
        self.block =
            Some(Block { stream: header.stream, end, faulty, continuations: 0, bytes: fragment.to_vec() });
        Ok(None)
    }

    #[cold]
    fn continuation(&mut self, header: FrameHeader, payload: &[u8]) -> Stepped<R> {
        let Some(mut block) = self.block.take().filter(|block| block.stream == header.stream) else {
            return Err(protocol("CONTINUATION without its header block"));
        };
        block.continuations += 1;
        if block.continuations > self.limits.continuations_max {
            return Err(Outcome::Excess(Guard::Continuations).into());
        }
        // A byte of text takes 30 bits at most.
        let block_max = (self.limits.header_list_max as usize).saturating_mul(4);
        if block.bytes.len() + payload.len() > block_max {
            return Err(Outcome::Excess(Guard::HeaderBlock).into());
        }
        block.bytes.extend_from_slice(payload);
        if !header.has(flag::END_HEADERS) {
            self.block = Some(block);
            return Ok(None);
        }
        self.header_block(block.stream, block.end, block.faulty, &block.bytes)
    }

    fn header_block(&mut self, id: u32, end: bool, faulty: bool, block: &[u8]) -> Stepped<R> {
        if self.takes_request(id) {
            let read = R::read(&mut self.heads, block);
            return Ok(self.begin_request(id, end, faulty, read));
        }
        if let Some(key) = self.streams.find(id) {
            return self.next_block(key, end, faulty, block);
        }
        if id.is_multiple_of(2) {
            return Err(protocol("HEADERS on a stream that clients do not open"));
        }
        if !R::IS_SERVER || id <= self.stream_last {
            return self.block_on_closed(id, block);
        }
        self.refuse_block(id, block)
    }

    /// Whether HEADERS with this number open a stream.
    #[inline]
    fn takes_request(&self, id: u32) -> bool {
        R::IS_SERVER
            && !id.is_multiple_of(2)
            && id > self.stream_last
            && self.streams.len() < self.limits.streams_max as usize
            && !matches!(self.life, Life::Drained(..))
    }

    #[inline(always)]
    fn begin_request(
        &mut self,
        id: u32,
        end: bool,
        faulty: bool,
        read: Result<Read<R::Head>, DecodeError>,
    ) -> Option<Event<R::Head>> {
        self.stream_last = id;
        let refused = match read {
            Ok(Read::Whole { head, content_length })
                if !faulty && (!end || content_length.is_none_or(|len| len == 0)) =>
            {
                let recv = if end { Recv::Ended } else { Recv::Body };
                let key = self.open(id, recv, Send::Head);
                self.streams.at(key).content_left = content_length;
                return Some(Event::Head { stream: StreamId(id), head, end });
            }
            Ok(Read::Whole { .. } | Read::Malformed) => self.refuse_request(id),
            Ok(Read::TooLarge { bytes }) => self.answer_too_large(id, end, bytes).map(|()| None),
            Err(error) => Err(compression(error)),
        };
        self.unless_failed(refused)
    }

    /// Takes the head of a request for which there is no room, or no time any more.
    #[cold]
    fn refuse_block(&mut self, id: u32, block: &[u8]) -> Stepped<R> {
        self.stream_last = id;
        self.skip_block(block)?;
        self.streams.note_ended(id, Ended::ResetHere);
        // Section 6.8: streams beyond the last one are ignored, but for what all streams share.
        if !matches!(self.life, Life::Drained(..)) {
            self.refuse(id, ErrorCode::REFUSED_STREAM)?;
        }
        Ok(None)
    }

    /// Refuses a request that is malformed.
    #[cold]
    fn refuse_request(&mut self, id: u32) -> Stepped<R> {
        self.streams.note_ended(id, Ended::ResetHere);
        self.refuse(id, ErrorCode::PROTOCOL_ERROR)?;
        Ok(None)
    }

    /// Section 10.5.1: a request whose fields are too large is answered.
    #[cold]
    fn answer_too_large(&mut self, id: u32, end: bool, bytes: usize) -> Checked<()> {
        self.streams.note_ended(id, Ended::ResetHere);
        self.begin_block();
        self.put_block(id, true, Some(431));
        if !end {
            self.put_reset(id, ErrorCode::NO_ERROR);
        }
        self.count_large_list(bytes)
    }

    /// Decodes a block that nobody reads, for the table's sake.
    fn skip_block(&mut self, block: &[u8]) -> Checked<()> {
        match self.heads.skip(block).map_err(compression)? {
            Read::TooLarge { bytes } => self.count_large_list(bytes),
            Read::Whole { .. } | Read::Malformed => Ok(()),
        }
    }

    #[cold]
    fn block_on_closed(&mut self, id: u32, block: &[u8]) -> Stepped<R> {
        if self.is_idle_stream(id) {
            return Err(protocol("HEADERS on an idle stream"));
        }
        match self.streams.past(id) {
            Past::Ended(Ended::ResetHere) | Past::Forgotten => {
                self.count_control_frame()?;
                self.skip_block(block)?;
                Ok(None)
            }
            Past::Ended(Ended::Whole | Ended::ResetByPeer) => Err(closed("HEADERS on a closed stream")),
            Past::Skipped => Err(protocol("HEADERS on a stream below one that is used already")),
        }
    }

    /// A header block on an open stream: the head of a response, or trailers.
    #[inline(never)]
    fn next_block(&mut self, key: Key, end: bool, faulty: bool, block: &[u8]) -> Stepped<R> {
        let stream = self.streams.at(key);
        let id = StreamId(key.id);
        match stream.recv {
            Recv::Ended => {
                self.skip_block(block)?;
                self.fault(key, ErrorCode::STREAM_CLOSED)?;
                Ok(None)
            }
            Recv::Head => {
                let read = R::read(&mut self.heads, block).map_err(compression)?;
                self.response(key, end, faulty, read)
            }
            Recv::Body => match self.heads.trailers(block).map_err(compression)? {
                Read::Whole { head: fields, .. }
                    if end && !faulty && self.streams.at(key).content_left.is_none_or(|left| left == 0) =>
                {
                    self.end_recv(key);
                    Ok(Some(Event::Trailers { stream: id, fields }))
                }
                Read::Whole { .. } | Read::Malformed => {
                    self.fault(key, ErrorCode::PROTOCOL_ERROR)?;
                    Ok(None)
                }
                Read::TooLarge { bytes } => {
                    self.fault(key, ErrorCode::ENHANCE_YOUR_CALM)?;
                    self.count_large_list(bytes)?;
                    Ok(None)
                }
            },
        }
    }

    fn response(&mut self, key: Key, end: bool, faulty: bool, read: Read<R::Head>) -> Stepped<R> {
        let (head, content_length) = match read {
            Read::Whole { head, content_length } if !faulty => (head, content_length),
            Read::Whole { .. } | Read::Malformed => {
                self.fault(key, ErrorCode::PROTOCOL_ERROR)?;
                return Ok(None);
            }
            Read::TooLarge { bytes } => {
                self.fault(key, ErrorCode::ENHANCE_YOUR_CALM)?;
                self.count_large_list(bytes)?;
                return Ok(None);
            }
        };
        let stream = self.streams.at(key);
        let interim = R::is_interim(&head);
        let body = content_length.filter(|_| !stream.bodiless && !R::is_bodiless(&head));
        if end && (interim || body.is_some_and(|len| len > 0)) {
            self.fault(key, ErrorCode::PROTOCOL_ERROR)?;
            return Ok(None);
        }
        if interim {
            // Interim heads cost a reader something and bring the message no further.
            self.count_control_frame()?;
        } else {
            stream.content_left = if stream.bodiless || R::is_bodiless(&head) { Some(0) } else { body };
            stream.recv = Recv::Body;
        }
        if end {
            self.end_recv(key);
        }
        Ok(Some(Event::Head { stream: StreamId(key.id), head, end }))
    }

    /// Whether nobody has used this stream yet, or ever will.
    fn is_idle_stream(&self, id: u32) -> bool {
        id.is_multiple_of(2) || id > self.stream_last
    }

    #[inline(never)]
    fn rst_stream(&mut self, header: FrameHeader, payload: &[u8]) -> Stepped<R> {
        let code = payload.try_into().map_err(|_| frame_size("RST_STREAM has four bytes"))?;
        let code = ErrorCode(u32::from_be_bytes(code));
        if header.stream == 0 || self.is_idle_stream(header.stream) {
            return Err(protocol("RST_STREAM on an idle stream"));
        }
        let Some(key) = self.streams.find(header.stream) else {
            self.count_control_frame()?;
            return Ok(None);
        };
        self.remove(key, Ended::ResetByPeer);
        if R::IS_SERVER {
            self.count_resets(1)?;
        }
        Ok(Some(Event::Reset { stream: StreamId(key.id), reset: Reset::from(code) }))
    }

    #[cold]
    fn priority(&mut self, header: FrameHeader, payload: &[u8]) -> Checked<()> {
        if header.stream == 0 {
            return Err(protocol("PRIORITY on stream 0"));
        }
        self.count_control_frame()?;
        let open = self.streams.find(header.stream);
        match (payload.try_into().ok(), open) {
            // Section 5.3.2: priorities are read no more; RFC 7540, section 5.3.1, forbids a stream to wait for itself.
            (Some(priority), _) if depends_on(&priority) != header.stream => Ok(()),
            (Some(_), Some(key)) => self.fault(key, ErrorCode::PROTOCOL_ERROR),
            (Some(_), None) => Err(protocol("a stream that depends on itself")),
            (None, Some(key)) => self.fault(key, ErrorCode::FRAME_SIZE_ERROR),
            // RST_STREAM would be wrong on an idle stream.
            (None, None) => Err(frame_size("PRIORITY has five bytes")),
        }
    }

    #[inline(never)]
    fn ping(&mut self, header: FrameHeader, payload: &[u8]) -> Checked<()> {
        if header.stream != 0 {
            return Err(protocol("PING on a stream"));
        }
        if payload.len() != 8 {
            return Err(frame_size("PING has eight bytes"));
        }
        if header.has(flag::ACK) {
            self.handle_ping_ack(payload);
            return self.count_control_frame();
        }
        put(self.queue.buffer(), kind::PING, flag::ACK, 0, payload);
        self.count_control_frame()?;
        self.count_reply()
    }

    #[cold]
    fn goaway(&mut self, header: FrameHeader, payload: &[u8]) -> Checked<()> {
        if header.stream != 0 {
            return Err(protocol("GOAWAY on a stream"));
        }
        let Some((fixed, debug)) = payload.split_first_chunk::<8>() else {
            return Err(frame_size("GOAWAY has eight bytes"));
        };
        self.count_control_frame()?;
        let [a, b, c, d, code @ ..] = *fixed;
        let last = u32::from_be_bytes([a, b, c, d]) & WINDOW_MAX;
        self.handle_goaway(last, ErrorCode(u32::from_be_bytes(code)), debug);
        Ok(())
    }

    #[inline(never)]
    fn window_update(&mut self, header: FrameHeader, payload: &[u8]) -> Checked<()> {
        let increment = payload.try_into().map_err(|_| frame_size("WINDOW_UPDATE has four bytes"))?;
        let increment = (u32::from_be_bytes(increment) & WINDOW_MAX) as i32;
        self.count_control_frame()?;
        if header.stream == 0 {
            if increment == 0 {
                return Err(protocol("WINDOW_UPDATE by nothing"));
            }
            let window = self.send_window.checked_add(increment);
            self.send_window =
                window.ok_or_else(|| flow_control("the window of the connection overflows"))?;
            self.unblock_all();
            return Ok(());
        }
        let Some(key) = self.streams.find(header.stream) else {
            return if self.is_idle_stream(header.stream) {
                Err(protocol("WINDOW_UPDATE on an idle stream"))
            } else {
                Ok(())
            };
        };
        let stream = self.streams.at(key);
        match stream.send_window.checked_add(increment) {
            Some(_) if increment == 0 => self.fault(key, ErrorCode::PROTOCOL_ERROR),
            Some(window) => {
                stream.send_window = window;
                self.unblock(key);
                Ok(())
            }
            None => self.fault(key, ErrorCode::FLOW_CONTROL_ERROR),
        }
    }

    /// Section 6.5.
    #[cold]
    fn settings(&mut self, header: FrameHeader, payload: &[u8]) -> Checked<()> {
        if header.stream != 0 {
            return Err(protocol("SETTINGS on a stream"));
        }
        if header.has(flag::ACK) {
            if !payload.is_empty() {
                return Err(frame_size("an acknowledgement of SETTINGS is empty"));
            }
            self.handle_settings_ack();
            return self.count_control_frame();
        }
        let (settings, rest) = payload.as_chunks::<6>();
        if !rest.is_empty() {
            return Err(frame_size("a setting has six bytes"));
        }
        self.count_control_frame()?;
        for [a, b, value @ ..] in settings {
            self.setting(u16::from_be_bytes([*a, *b]), u32::from_be_bytes(*value))?;
        }
        self.timers.clear(Timer::Preface);
        put(self.queue.buffer(), kind::SETTINGS, flag::ACK, 0, &[]);
        self.count_reply()
    }

    /// Section 6.5.2. Settings that are not known are ignored.
    fn setting(&mut self, name: u16, value: u32) -> Checked<()> {
        match name {
            setting::HEADER_TABLE_SIZE => self.encoder.set_table_size(value),
            setting::ENABLE_PUSH if value > u32::from(R::IS_SERVER) => {
                return Err(protocol("a wrong value of SETTINGS_ENABLE_PUSH"));
            }
            setting::MAX_CONCURRENT_STREAMS => self.peer.streams_max = value,
            setting::INITIAL_WINDOW_SIZE => {
                if value > WINDOW_MAX {
                    return Err(flow_control("SETTINGS_INITIAL_WINDOW_SIZE beyond the largest window"));
                }
                self.set_initial_window(value)?;
            }
            setting::MAX_FRAME_SIZE => {
                if !(16_384..=16_777_215).contains(&value) {
                    return Err(protocol("a wrong value of SETTINGS_MAX_FRAME_SIZE"));
                }
                self.peer.frame_max = (value as usize).min(FRAME_SENT_MAX);
            }
            _ => {}
        }
        Ok(())
    }

    /// Section 6.9.2: the windows of open streams move by the difference, even below nothing.
    fn set_initial_window(&mut self, value: u32) -> Checked<()> {
        let difference = value as i32 - self.peer.initial_window as i32;
        self.peer.initial_window = value;
        for stream in self.streams.iter_mut() {
            stream.send_window = stream
                .send_window
                .checked_add(difference)
                .ok_or_else(|| flow_control("the window of a stream overflows"))?;
        }
        self.unblock_all();
        Ok(())
    }
}

fn depends_on(priority: &[u8; 5]) -> u32 {
    let [a, b, c, d, _] = *priority;
    u32::from_be_bytes([a, b, c, d]) & WINDOW_MAX
}

fn protocol(rule: &'static str) -> Box<Outcome> {
    violation(ErrorCode::PROTOCOL_ERROR, rule)
}

fn frame_size(rule: &'static str) -> Box<Outcome> {
    violation(ErrorCode::FRAME_SIZE_ERROR, rule)
}

pub(crate) fn flow_control(rule: &'static str) -> Box<Outcome> {
    violation(ErrorCode::FLOW_CONTROL_ERROR, rule)
}

fn closed(rule: &'static str) -> Box<Outcome> {
    violation(ErrorCode::STREAM_CLOSED, rule)
}

fn compression(_: DecodeError) -> Box<Outcome> {
    violation(ErrorCode::COMPRESSION_ERROR, "a header block that cannot be decoded")
}

#[cold]
fn violation(code: ErrorCode, rule: &'static str) -> Box<Outcome> {
    Outcome::Violation { code, rule }.into()
}

/// Larger frames would keep other streams waiting.
const FRAME_SENT_MAX: usize = 16_384;
/// A buffer that a split frame leaves behind is kept up to this.
const PARTIAL_KEPT: usize = 1024;
