use super::*;

/// Feeds `wire` in three chunks cut at every possible pair of places, draining after each chunk and
/// only at the end, and expects `want` each time.
#[track_caller]
fn check(wire: &[u8], want: &[(u8, &[u8])]) {
    let want: Vec<_> = want.iter().map(|(flags, bytes)| (*flags, bytes.to_vec())).collect();
    for first in 0..=wire.len() {
        for second in first..=wire.len() {
            for drain_between in [true, false] {
                let mut deframer = Deframer::default();
                let mut got = Vec::new();
                for part in [&wire[..first], &wire[first..second], &wire[second..]] {
                    deframer.push(Bytes::copy_from_slice(part));
                    if drain_between {
                        drain(&mut deframer, &mut got);
                    }
                }
                drain(&mut deframer, &mut got);
                assert_eq!(got, want, "cut at {first} and {second}");
                assert!(deframer.is_at_boundary(), "cut at {first} and {second}");
                assert_eq!(deframer.buffered(), 0);
            }
        }
    }
    check_truncated(wire, &want);
}

/// Ends the body early at every place: only where a frame ends is a boundary.
#[track_caller]
fn check_truncated(wire: &[u8], want: &[(u8, Vec<u8>)]) {
    let mut ends = vec![0];
    for (_, payload) in want {
        ends.push(ends[ends.len() - 1] + PREFIX_LEN + payload.len());
    }
    for end in 0..=wire.len() {
        let mut deframer = Deframer::default();
        let mut got = Vec::new();
        deframer.push(Bytes::copy_from_slice(&wire[..end]));
        assert_eq!(deframer.buffered(), end);
        drain(&mut deframer, &mut got);
        assert_eq!(got, want[..got.len()]);
        assert_eq!(deframer.is_at_boundary(), ends.contains(&end), "ended at {end}");
        assert_eq!(deframer.buffered(), end - ends[got.len()]);
    }
}

fn drain(deframer: &mut Deframer, got: &mut Vec<(u8, Vec<u8>)>) {
    while let Some(frame) = deframer.next_frame(1 << 20).unwrap() {
        got.push((frame.flags.0, frame.payload.to_vec()));
    }
}

#[test]
fn empty_body_has_no_frames() {
    check(b"", &[]);
}

#[test]
fn empty_message_is_a_frame() {
    check(b"\0\0\0\0\0", &[(0, b"")]);
}

#[test]
fn frames_keep_order_and_flags() {
    check(b"\0\0\0\0\x02hi\x01\0\0\0\x03abc\x80\0\0\0\0", &[(0, b"hi"), (1, b"abc"), (0x80, b"")]);
}

#[test]
fn write_then_read() {
    let mut out = BytesMut::new();
    write_frame(&mut out, Flags(3), 2, |out| out.put_slice(b"hi")).unwrap();
    write_frame(&mut out, Flags(0), 0, |_| ()).unwrap();
    assert_eq!(&out[..], b"\x03\0\0\0\x02hi\0\0\0\0\0");
    check(&out, &[(3, b"hi"), (0, b"")]);
}

#[test]
fn contiguous_frame_is_not_copied() {
    let chunk = Bytes::from_static(b"\0\0\0\0\x02hi");
    let mut deframer = Deframer::default();
    deframer.push(chunk.clone());
    let frame = deframer.next_frame(2).unwrap().unwrap();
    assert_eq!(frame.payload.as_ptr(), chunk[5..].as_ptr());
}

#[test]
fn payload_whose_prefix_came_apart_is_not_copied() {
    let chunk = Bytes::from_static(b"\x02hi");
    let mut deframer = Deframer::default();
    deframer.push(Bytes::from_static(b"\0\0\0\0"));
    assert_eq!(deframer.next_frame(2), Ok(None));
    deframer.push(chunk.clone());
    let frame = deframer.next_frame(2).unwrap().unwrap();
    assert_eq!(frame.payload.as_ptr(), chunk[1..].as_ptr());
}

#[test]
fn declared_length_over_limit_is_refused_before_the_payload_and_again() {
    for (limit, len, want) in [
        (2, 1, Ok(None)),
        (2, 2, Ok(None)),
        (2, 3, Err(TooLarge { len: 3, limit: 2 })),
        (2, u32::MAX, Err(TooLarge { len: u32::MAX, limit: 2 })),
        (0, 1, Err(TooLarge { len: 1, limit: 0 })),
        (u32::MAX, u32::MAX, Ok(None)),
    ] {
        let mut deframer = Deframer::default();
        deframer.push(Bytes::copy_from_slice(&Prefix { flags: Flags(0), len }.encode()));
        assert_eq!(deframer.next_frame(limit), want);
        assert_eq!(deframer.next_frame(limit), want);
        assert!(!deframer.is_at_boundary());
    }
}

#[test]
fn declared_length_reserves_little() {
    let mut deframer = Deframer::default();
    deframer.push(Bytes::from_static(b"\0\xff\xff\xff\xff!"));
    assert_eq!(deframer.next_frame(u32::MAX), Ok(None));
    assert_eq!(deframer.spanning.unwrap().gather.unwrap().payload.capacity(), GATHER_RESERVE);
}

#[test]
fn gathered_payload_ends_with_no_room_to_spare() {
    for len in [GATHER_RESERVE - 1, GATHER_RESERVE, GATHER_RESERVE + 1, 100_000] {
        let mut gather = Gather::new(Prefix { flags: Flags(0), len: len as u32 });
        while gather.missing() > 0 {
            gather.fill(&mut Bytes::from_static(&[7; 1000]));
        }
        assert_eq!(gather.payload, vec![7; len]);
        assert_eq!(gather.payload.capacity(), len);
    }
}

/// The number of chunks that wait behind the first, and the bytes that wait behind those.
fn behind(deframer: &Deframer) -> (usize, usize) {
    let spanning = deframer.spanning.as_ref().unwrap();
    (spanning.rest.len(), spanning.tail.len())
}

#[test]
fn tiny_chunks_share_a_buffer_and_large_ones_are_queued_as_they_are() {
    let mut deframer = Deframer::default();
    for _ in 0..100_000 {
        deframer.push(Bytes::from_static(b"a"));
    }
    assert_eq!((deframer.front.len(), behind(&deframer)), (1, (0, 99_999)));
    deframer.push(Bytes::from_static(&[0; COALESCE_MAX]));
    assert_eq!(behind(&deframer), (0, 99_999 + COALESCE_MAX));
    deframer.push(Bytes::from_static(&[0; COALESCE_MAX + 1]));
    assert_eq!(behind(&deframer), (2, 0));
}

#[test]
fn one_byte_at_a_time_undrained() {
    let mut wire = BytesMut::new();
    for index in 0..1000 {
        write_frame(&mut wire, Flags(0), 1000, |out| out.put_bytes(1, index)).unwrap();
    }
    let mut deframer = Deframer::default();
    for byte in &wire {
        deframer.push(Bytes::copy_from_slice(&[*byte]));
    }
    let mut got = Vec::new();
    drain(&mut deframer, &mut got);
    assert!((0..1000).eq(got.iter().map(|(_, payload)| payload.len())));
}

#[test]
fn payload_over_the_send_limit_leaves_the_buffer_as_it_was() {
    for (limit, want) in [(1, Err(TooLarge { len: 2, limit: 1 })), (2, Ok(())), (3, Ok(()))] {
        let mut out = BytesMut::from(&b"before"[..]);
        assert_eq!(write_frame(&mut out, Flags(0), limit, |out| out.put_slice(b"hi")), want);
        let expect: &[u8] = if want.is_ok() { b"before\0\0\0\0\x02hi" } else { b"before" };
        assert_eq!(out, expect);
    }
}

#[test]
fn flags_keep_the_protocols_bits_apart() {
    assert!(Flags(0x81).is_compressed());
    assert!(!Flags(0x80).is_compressed());
    assert_eq!(Flags(0x83).special(), 0x82);
}
