// morecore as a std.mem.Allocator, for Zig 0.11; and what the test calls.

const std = @import("std");

extern "morecore" fn mc_memalign(alignment: usize, bytes: usize) ?[*]u8;
extern "morecore" fn mc_realloc_in_place(ptr: [*]u8, bytes: usize) ?[*]u8;
extern "morecore" fn mc_free(ptr: [*]u8) void;

const morecore = std.mem.Allocator{
    .ptr = undefined,
    .vtable = &.{ .alloc = alloc, .resize = resize, .free = free },
};

fn alloc(_: *anyopaque, bytes: usize, log2_align: u8, _: usize) ?[*]u8 {
    return mc_memalign(@as(usize, 1) << @as(u5, @intCast(log2_align)), bytes);
}

fn resize(_: *anyopaque, block: []u8, _: u8, bytes: usize, _: usize) bool {
    return mc_realloc_in_place(block.ptr, bytes) != null;
}

fn free(_: *anyopaque, block: []u8, _: u8, _: usize) void {
    mc_free(block.ptr);
}

const Wide = struct { value: u64 align(64) };

/// A list and a map of `count` numbers, summed; all is freed. 0: no memory, or a block at a wrong place.
export fn run(count: u32) u32 {
    return sum(count) catch 0;
}

fn sum(count: u32) !u32 {
    var list = std.ArrayList(u32).init(morecore);
    defer list.deinit();
    var map = std.AutoHashMap(u32, u32).init(morecore);
    defer map.deinit();
    const wide = try morecore.create(Wide);
    defer morecore.destroy(wide);
    if (@intFromPtr(wide) % 64 != 0) return 0;
    var i: u32 = 0;
    while (i < count) : (i += 1) {
        try list.append(i);
        try map.put(i, 1);
    }
    var total: u32 = 0;
    for (list.items) |item| total += item + (map.get(item) orelse 0);
    return total;
}

/// Whether more than there can be is answered with error.OutOfMemory.
export fn isRefused() bool {
    if (morecore.alloc(u8, 0xfff00000)) |block| {
        morecore.free(block);
        return false;
    } else |err| return err == error.OutOfMemory;
}

export fn freeTwice() void {
    const block = morecore.alloc(u8, 100) catch return;
    mc_free(block.ptr);
    mc_free(block.ptr);
}
