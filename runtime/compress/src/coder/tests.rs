use super::*;

#[test]
fn output_grows_to_the_limit_and_no_further() {
    for limit in [0, 1, 255, 256, 257, 1000, 4096] {
        for expected in [0, 1, limit, limit + 1, usize::MAX] {
            for piece in [1, 7, 5000] {
                check(limit, expected, piece);
            }
        }
    }
}

#[test]
fn coder_that_stands_still_is_corrupt() {
    let mut out = BytesMut::new();
    let still = Step { consumed: 0, produced: 0, done: false };
    assert_eq!(Bounded::new(&mut out, 10, 5).run(b"input", |_, _| Ok(still)), Err(DecompressError::Corrupt));
}

#[test]
fn uncommitted_output_is_taken_back() {
    let mut out = BytesMut::from(&b"before"[..]);
    let mut bounded = Bounded::new(&mut out, 10, 5);
    bounded.offer(3, |out| Ok::<_, ()>(out.len())).unwrap();
    assert_eq!((bounded.written().len(), bounded.remaining()), (3, 7));
    drop(bounded);
    assert_eq!(out, "before");
}

#[test]
fn offer_is_what_the_limit_leaves() {
    let mut out = BytesMut::new();
    let mut bounded = Bounded::new(&mut out, 10, 0);
    assert_eq!(bounded.offer(6, |out| Ok::<_, ()>(out.len())), Ok(6));
    assert_eq!(bounded.offer(6, |out| Err::<usize, _>(out.len())), Err(4));
    assert_eq!(bounded.remaining(), 4, "a failure keeps nothing");
}

#[test]
fn idle_coder_comes_back_to_its_thread() {
    thread_local!(static IDLE: Cell<Option<u32>> = const { Cell::new(None) });
    let count = || with_idle(&IDLE, Option::unwrap_or_default, |coder| std::mem::replace(coder, *coder + 1));
    assert_eq!((count(), count()), (0, 1));
    assert_eq!(std::thread::scope(|scope| scope.spawn(count).join().unwrap()), 0);
}

#[test]
fn nested_use_gets_a_coder_of_its_own() {
    thread_local!(static IDLE: Cell<Option<u32>> = const { Cell::new(None) });
    let inner = with_idle(&IDLE, |_| 1, |_| with_idle(&IDLE, Option::unwrap_or_default, |coder| *coder));
    assert_eq!(inner, 0);
}

/// A coder that writes `piece` bytes a turn passes at a total of the limit and is refused one later.
fn check(limit: usize, expected: usize, piece: usize) {
    for (total, passes) in [(limit.saturating_sub(1), true), (limit, true), (limit + 1, false)] {
        let mut out = BytesMut::from(&b"before"[..]);
        let mut left = total;
        let mut bounded = Bounded::new(&mut out, limit, expected);
        let result = bounded.run(b"", |_, out| {
            let produced = left.min(piece).min(out.len());
            out[..produced].fill(b'x');
            left -= produced;
            Ok(Step { consumed: 0, produced, done: left == 0 })
        });
        assert_eq!(result, if passes { Ok(0) } else { Err(DecompressError::TooLarge { limit }) });
        if passes {
            bounded.commit();
            assert_eq!(out, [&b"before"[..], &vec![b'x'; total]].concat());
        } else {
            drop(bounded);
            assert_eq!(out, "before");
        }
        assert!(out.capacity() <= limit + 64, "{} for a limit of {limit}", out.capacity());
    }
}
