// What an engine's console.log shows of each kind of object, with 1000 elements, each under a line with its name.
//
//   node printing.mjs PATH     PATH: the built library

const {
  array,
  Columns,
  f64,
  HashMap,
  Heap,
  HeapString,
  OffsetAllocator,
  Pool,
  SlotMap,
  struct,
  TypedArena,
  Vec,
} = await import(process.argv[2]);

const COUNT = 1000;
const numbers = Array.from({ length: COUNT }, (_, index) => index);
const heap = Heap.create();
const Point = struct({ x: f64, y: f64 }, { name: "Point" });
const filled = (made, add) => {
  for (const value of numbers) add(made, value);
  return made;
};

const objects = {
  heap,
  type: Point,
  reference: heap.new(Point, { x: 1 }),
  array: heap.newArray(array(f64, 100), 10),
  bump: filled(heap.bump(), (made, x) => made.new(Point, { x })),
  pool: filled(new Pool(heap, Point), (made, x) => made.new(Point, { x })),
  arena: filled(new TypedArena(heap, Point), (made, x) => made.new({ x })),
  vec: filled(new Vec(heap, f64), (made, x) => made.push(x)),
  columns: filled(new Columns(heap, Point), (made, x) => made.push({ x })),
  map: filled(new HashMap(heap, f64, f64), (made, x) => made.set(x, x)),
  slots: filled(new SlotMap(heap, Point), (made, x) => made.insert({ x })),
  string: filled(new HeapString(heap), (made, x) => made.append(`${x}\n`)),
  ranges: new OffsetAllocator(COUNT),
};
for (const [name, object] of Object.entries(objects)) {
  console.log(`== ${name}`);
  console.log(object);
}
