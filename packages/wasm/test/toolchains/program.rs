// A Rust program whose allocator is morecore. docs/WASM.md shows the first half.

use std::alloc::{GlobalAlloc, Layout};

#[link(wasm_import_module = "morecore")]
extern "C" {
    fn mc_malloc(bytes: usize) -> *mut u8;
    fn mc_calloc(count: usize, bytes: usize) -> *mut u8;
    fn mc_realloc(ptr: *mut u8, bytes: usize) -> *mut u8;
    fn mc_memalign(alignment: usize, bytes: usize) -> *mut u8;
    fn mc_free(ptr: *mut u8);
}

struct Morecore;

/// Every block is aligned to this.
const GRANULE: usize = 16;

unsafe impl GlobalAlloc for Morecore {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.align() <= GRANULE { mc_malloc(layout.size()) } else { mc_memalign(layout.align(), layout.size()) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if layout.align() <= GRANULE {
            return mc_calloc(1, layout.size());
        }
        let ptr = self.alloc(layout);
        if !ptr.is_null() {
            ptr.write_bytes(0, layout.size());
        }
        ptr
    }
    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        if layout.align() <= GRANULE {
            return mc_realloc(ptr, bytes);
        }
        // realloc keeps no alignment above the granule.
        let moved = self.alloc(Layout::from_size_align_unchecked(bytes, layout.align()));
        if !moved.is_null() {
            moved.copy_from_nonoverlapping(ptr, layout.size().min(bytes));
            self.dealloc(ptr, layout);
        }
        moved
    }
    unsafe fn dealloc(&self, ptr: *mut u8, _: Layout) {
        mc_free(ptr)
    }
}

#[global_allocator]
static ALLOCATOR: Morecore = Morecore;

// The program.

use std::collections::BTreeMap;

#[repr(align(64))]
#[derive(Clone, Copy)]
struct Wide([u8; 64]);

/// Counts words; the answer depends on every block having kept its contents.
#[no_mangle]
pub extern "C" fn run(rounds: u32) -> u32 {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for round in 0..rounds {
        *counts.entry(format!("word {}", round % 100)).or_insert(0) += 1;
    }
    let mut wide = Vec::new();
    for byte in 0..=255u8 {
        wide.push(Wide([byte; 64]));
        assert_eq!(wide.as_ptr() as usize % 64, 0);
    }
    assert!(wide.iter().enumerate().all(|(index, each)| each.0.iter().all(|&byte| byte as usize == index)));
    assert!(vec![0u64; 10_000].iter().all(|&zero| zero == 0));
    counts.values().sum::<u32>() + counts.len() as u32
}
