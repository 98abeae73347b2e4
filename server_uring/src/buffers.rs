//! The buffers that the kernel fills: offered through a ring of its own, leased to whoever reads the bytes, offered again.
//!
//! At every moment a buffer is in one of three hands: *offered* (its entry lies in the ring between the kernel's head and our
//! tail, or the kernel has taken the entry and not reported yet), *leased* (one [`Lease`] has it), or *returned* (its bit is
//! set). [`Buffers`] alone moves it from the last to the first, a completion from the first to the second, and the lease's
//! end, on whichever thread, from the second to the last.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};

use io_uring::types::BufRingEntry;

/// The buffers of one ring, seen from the shard that owns it.
pub(crate) struct Buffers {
    memory: Arc<Memory>,
    /// What we have added so far, modulo 2^16; the kernel reads the copy that lies in the ring.
    tail: u16,
    /// Buffers that are leased or returned.
    out: u16,
}

/// The memory that the kernel, the shard and the leases share. It goes with the last of them.
struct Memory {
    /// INVARIANT: `count` entries, page-aligned, followed by `count` buffers of `size` bytes; allocated with `layout`, all zero.
    base: NonNull<u8>,
    layout: Layout,
    count: u16,
    size: u32,
    /// One bit per buffer: its lease has ended.
    returned: Box<[AtomicU64]>,
}

// SAFETY: the memory is plain bytes. Entries are written by the one `Buffers` (through `&mut self`) and read by the kernel; a
// buffer is read through its one `Lease` only while it is leased, and written by the kernel only while it is offered (the
// module's invariant). `returned` is atomic.
unsafe impl Send for Memory {}
// SAFETY: as above; `&Memory` gives no access to entries or buffers but through `Buffers` and `Lease`.
unsafe impl Sync for Memory {}

impl Buffers {
    /// `count` buffers of `size` bytes, all of them offered. `count` is a power of two of at most 2^15, as the kernel wants it.
    pub(crate) fn new(count: u16, size: u32) -> Self {
        assert!(count.is_power_of_two() && count <= 1 << 15 && size > 0, "what the kernel takes");
        let bytes = usize::from(count) * (size_of::<BufRingEntry>() + size as usize);
        let layout = Layout::from_size_align(bytes, PAGE).expect("a few megabytes");
        // SAFETY: the layout is not empty, since neither factor is zero.
        let base = unsafe { alloc_zeroed(layout) };
        let Some(base) = NonNull::new(base) else { handle_alloc_error(layout) };
        let words = usize::from(count).div_ceil(64);
        let returned = (0..words).map(|_| AtomicU64::new(0)).collect();
        let memory = Arc::new(Memory { base, layout, count, size, returned });
        let mut buffers = Self { memory, tail: 0, out: count };
        (0..count).for_each(|id| buffers.offer(id));
        buffers.publish();
        buffers
    }

    /// The address of the ring of entries, for registering it with the kernel. It stays as long as this value or a lease does.
    pub(crate) fn ring_address(&self) -> u64 {
        self.memory.base.as_ptr() as u64
    }

    pub(crate) fn count(&self) -> u16 {
        self.memory.count
    }

    /// How many buffers are offered.
    pub(crate) fn offered(&self) -> u16 {
        self.memory.count - self.out
    }

    /// Takes a buffer that the kernel has filled with `len` bytes.
    ///
    /// # Safety
    /// The kernel (or a model of it) has taken the entry of buffer `id` from this ring, has reported a length of at least `len`
    /// for it, writes to it no more, and this is the only call for that report.
    pub(crate) unsafe fn lease(&mut self, id: u16, len: u32) -> Lease {
        assert!(
            id < self.memory.count && len <= self.memory.size,
            "the kernel reports buffers that it was given"
        );
        self.out += 1;
        Lease { memory: self.memory.clone(), id, len }
    }

    /// Offers again what has been returned. Says whether there was any.
    pub(crate) fn offer_returned(&mut self) -> bool {
        let mut any = false;
        for word in 0..self.memory.returned.len() {
            if self.memory.returned[word].load(Ordering::Relaxed) == 0 {
                continue;
            }
            // Acquire: whatever the lease's holder has read, it has read before the kernel writes.
            let mut bits = self.memory.returned[word].swap(0, Ordering::Acquire);
            while bits != 0 {
                let id = (word * 64) as u16 + bits.trailing_zeros() as u16;
                bits &= bits - 1;
                self.offer(id);
                any = true;
            }
        }
        if any {
            self.publish();
        }
        any
    }

    /// Adds the entry of a buffer that is ours: a new one, or one whose bit was set.
    fn offer(&mut self, id: u16) {
        let mask = self.memory.count - 1;
        let place = usize::from(self.tail & mask);
        let address = self.memory.buffer(id).as_ptr() as u64;
        // SAFETY: `place` is below `count`, so the entry lies in the allocation and is aligned: a page is a multiple of its
        // size. At most `count` buffers exist and each is offered once, so the kernel is done with what stood here before.
        // `&mut self` keeps other writers away. The fields are written one by one, because the first entry's last field is
        // the tail that the kernel reads.
        let entry = unsafe { &mut *self.memory.base.cast::<BufRingEntry>().as_ptr().add(place) };
        entry.set_addr(address);
        entry.set_len(self.memory.size);
        entry.set_bid(id);
        self.tail = self.tail.wrapping_add(1);
        self.out -= 1;
    }

    /// Shows the kernel the entries that were added.
    fn publish(&self) {
        let first = self.memory.base.cast::<BufRingEntry>().as_ptr();
        // SAFETY: the pointer is that of the first, initialised entry of the ring, which is what `tail` asks for. The tail is
        // two bytes, aligned to two, inside the allocation, and from here on only accessed atomically, by us and by the kernel.
        let tail = unsafe { AtomicU16::from_ptr(BufRingEntry::tail(first).cast_mut()) };
        // Release: the kernel that sees the tail sees the entries.
        tail.store(self.tail, Ordering::Release);
    }
}

impl Memory {
    fn buffer(&self, id: u16) -> NonNull<u8> {
        let offset =
            usize::from(self.count) * size_of::<BufRingEntry>() + usize::from(id) * self.size as usize;
        // SAFETY: every caller has checked that `id` is below `count`, so the offset is inside the allocation.
        unsafe { self.base.add(offset) }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout in `Buffers::new`, and freed once. No lease and no `Buffers` is left; the kernel is
        // done with it, because the ring keeps the `Buffers` until it has let go (`Ring`'s drop).
        unsafe { dealloc(self.base.as_ptr(), self.layout) };
    }
}

/// Bytes that the kernel has written. The buffer is offered again after the lease ends.
pub(crate) struct Lease {
    memory: Arc<Memory>,
    /// INVARIANT: below `count`, leased, and in no other lease (`Buffers::lease`).
    id: u16,
    /// INVARIANT: at most `size`.
    len: u32,
}

impl AsRef<[u8]> for Lease {
    fn as_ref(&self) -> &[u8] {
        let start = self.memory.buffer(self.id).as_ptr();
        // SAFETY: `len` bytes from the start of the buffer lie in the allocation and are initialised (it was zeroed). The buffer
        // is leased, so the kernel does not write to it, and no `&mut` to buffers is ever made.
        unsafe { std::slice::from_raw_parts(start, self.len as usize) }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let (word, bit) = (usize::from(self.id / 64), self.id % 64);
        // Release: our last read comes before the kernel's next write.
        self.memory.returned[word].fetch_or(1 << bit, Ordering::Release);
    }
}

// What the kernel asks of the ring's address; larger pages are multiples of it, and the kernel maps by 4 KiB units of its own
// page size: 64 KiB is the largest that any of ours has.
const PAGE: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    /// A kernel: takes entries from the ring in order, writes to buffers, reports.
    struct Kernel {
        head: u16,
        /// What it has taken and not reported.
        taken: VecDeque<u16>,
    }

    impl Kernel {
        fn tail(buffers: &Buffers) -> u16 {
            let first = buffers.memory.base.cast::<BufRingEntry>().as_ptr();
            // SAFETY: as in `publish`.
            unsafe { AtomicU16::from_ptr(BufRingEntry::tail(first).cast_mut()) }.load(Ordering::Acquire)
        }

        /// Takes the next entry, if there is one, and fills its buffer with `byte`.
        fn fill(&mut self, buffers: &Buffers, byte: u8) -> bool {
            if self.head == Self::tail(buffers) {
                return false;
            }
            let place = usize::from(self.head & (buffers.count() - 1));
            // SAFETY: the place is below the tail, so its entry is written, and stays until we report.
            let entry = unsafe { &*buffers.memory.base.cast::<BufRingEntry>().as_ptr().add(place) };
            let (address, len, id) = (entry.addr() as usize, entry.len(), entry.bid());
            assert_eq!(address, buffers.memory.buffer(id).as_ptr() as usize);
            assert!(!self.taken.contains(&id), "offered twice");
            self.head = self.head.wrapping_add(1);
            // SAFETY: the buffer is offered and taken, so it is the kernel's; the length is its own.
            unsafe { buffers.memory.buffer(id).as_ptr().write_bytes(byte, len as usize) };
            self.taken.push_back(id);
            true
        }

        fn report(&mut self, buffers: &mut Buffers) -> Option<Lease> {
            let id = self.taken.pop_front()?;
            // SAFETY: the model has taken the buffer, and reports it once.
            Some(unsafe { buffers.lease(id, buffers.memory.size) })
        }
    }

    /// One world of the model, after some steps.
    struct World {
        buffers: Buffers,
        kernel: Kernel,
        leases: VecDeque<(Lease, u8)>,
        written: VecDeque<u8>,
        next: u8,
    }

    impl World {
        fn new(count: u16) -> Self {
            Self {
                buffers: Buffers::new(count, 3),
                kernel: Kernel { head: 0, taken: VecDeque::new() },
                leases: VecDeque::new(),
                written: VecDeque::new(),
                next: 1,
            }
        }

        fn step(&mut self, step: u8) {
            match step {
                0 => {
                    if self.kernel.fill(&self.buffers, self.next) {
                        self.written.push_back(self.next);
                        self.next = self.next.wrapping_add(1);
                    }
                }
                1 => {
                    if let Some(lease) = self.kernel.report(&mut self.buffers) {
                        let byte = self.written.pop_front().expect("a report follows a write");
                        self.leases.push_back((lease, byte));
                    }
                }
                2 => drop(self.leases.pop_front()),
                3 => drop(self.leases.pop_back()),
                _ => drop(self.buffers.offer_returned()),
            }
            self.check();
        }

        fn check(&self) {
            for (lease, byte) in &self.leases {
                assert_eq!(lease.as_ref(), [*byte; 3], "a lease is not written to");
            }
            let in_ring = Kernel::tail(&self.buffers).wrapping_sub(self.kernel.head);
            let returned: u32 = self
                .buffers
                .memory
                .returned
                .iter()
                .map(|word| word.load(Ordering::Relaxed).count_ones())
                .sum();
            let in_hands =
                usize::from(in_ring) + self.kernel.taken.len() + self.leases.len() + returned as usize;
            assert_eq!(in_hands, usize::from(self.buffers.count()), "every buffer is in one hand");
            assert_eq!(usize::from(self.buffers.offered()), usize::from(in_ring) + self.kernel.taken.len());
        }
    }

    #[test]
    fn every_order_of_steps_keeps_each_buffer_in_one_hand() {
        const DEPTH: u32 = if cfg!(miri) { 4 } else { 7 };
        const STEPS: u32 = 5;
        for count in [1, 2] {
            for order in 0..STEPS.pow(DEPTH) {
                let mut world = World::new(count);
                (0..DEPTH).for_each(|at| world.step((order / STEPS.pow(at) % STEPS) as u8));
            }
        }
    }

    #[test]
    fn the_ring_goes_round_and_its_counter_too() {
        let rounds = if cfg!(miri) { 100 } else { 70_000 };
        let mut world = World::new(4);
        for round in 0..rounds {
            world.next = round as u8 | 1;
            [0, 0, 1, 1, 2, 3, 4].into_iter().for_each(|step| world.step(step));
        }
        assert_eq!(world.buffers.tail, ((4 + 2 * rounds) % (1 << 16)) as u16);
    }

    #[test]
    fn leases_end_on_other_threads() {
        let rounds = if cfg!(miri) { 20 } else { 20_000 };
        let mut buffers = Buffers::new(64, 8);
        let mut kernel = Kernel { head: 0, taken: VecDeque::new() };
        let (give, take) = std::sync::mpsc::channel::<(Lease, u8)>();
        let reader = std::thread::spawn(move || {
            take.iter().map(|(lease, byte)| assert_eq!(lease.as_ref(), [byte; 8])).count()
        });
        let mut given = 0;
        while given < rounds {
            let byte = given as u8;
            if kernel.fill(&buffers, byte) {
                let lease = kernel.report(&mut buffers).expect("it was filled");
                give.send((lease, byte)).unwrap();
                given += 1;
            } else {
                buffers.offer_returned();
                std::thread::yield_now();
            }
        }
        drop(give);
        assert_eq!(reader.join().unwrap(), rounds);
        buffers.offer_returned();
        assert_eq!(buffers.offered(), 64);
    }

    #[test]
    fn a_lease_outlives_its_ring() {
        let mut world = World::new(2);
        world.step(0);
        world.step(1);
        let (lease, byte) = world.leases.pop_front().unwrap();
        drop(world);
        assert_eq!(lease.as_ref(), [byte; 3]);
    }
}
