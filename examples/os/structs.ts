// Structs for C: laid out in a heap by JavaScript, worked on by libc's qsort and strftime, read again in place.

import { Heap, mmapMemory } from "@morecore/os";
import koffi from "koffi";

const libc = koffi.load(null);
const qsort = libc.func("void qsort(void *base, size_t count, size_t bytes, void *compare)");
const strftime = libc.func("size_t strftime(void *text, size_t most, const char *format, void *time)");

const heap = Heap.create({ memory: mmapMemory({ reserve: 1 << 30 }) });

// struct city { double people; uint32_t id; }: 16 bytes each, with what alignment adds.
const CITY_BYTES = 16;
const cities: readonly (readonly [name: string, people: number])[] = [
  ["Lagos", 15_388_000],
  ["Oslo", 709_037],
  ["Quito", 2_011_388],
  ["Apia", 37_391],
];
const array = heap.calloc(cities.length, CITY_BYTES);
cities.forEach(([, people], id) => {
  const city = array + id * CITY_BYTES;
  heap.f64(city, 1)[0] = people;
  heap.u32(city + 8, 1)[0] = id;
});

const peopleOf = (city: number): number => heap.f64(city, 1)[0] ?? 0;
const nameOf = (city: number): string => cities[heap.u32(city + 8, 1)[0] ?? 0]?.[0] ?? "";

// C calls back with two of its pointers; the heap knows them by its own addresses.
const byPeople = koffi.register(
  (a: bigint, b: bigint) => Math.sign(peopleOf(heap.fromNative(a)) - peopleOf(heap.fromNative(b))),
  koffi.pointer(koffi.proto("int ByPeople(void *a, void *b)")),
);
qsort(heap.native(array), cities.length, CITY_BYTES, byPeople);
koffi.unregister(byPeople);

for (let index = 0; index < cities.length; index++) {
  const city = array + index * CITY_BYTES;
  console.log(nameOf(city), peopleOf(city));
}

// struct tm: nine ints (seconds … month, years since 1900, day of the week, day of the year, daylight saving), and more.
const time = heap.calloc(1, 64);
heap.i32(time, 9).set([5, 4, 3, 20, 6, 69, 0, 200, 0]);
const text = heap.malloc(64);
const length = strftime(heap.native(text), 64, "%A, %d %B %Y, %H:%M:%S", heap.native(time));
console.log(new TextDecoder().decode(heap.u8(text, Number(length))));

for (const ptr of [array, time, text]) heap.free(ptr);
heap.check();
