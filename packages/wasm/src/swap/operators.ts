// Operators: how many values each instruction of WebAssembly takes from the stack and puts there.
//
// Owns:  the table, by the names of the text format.
// Needs: nothing. Calls and control have no fixed effect: flow.ts knows those.
//
// An instruction that is not in the table has no effect that we know; whoever simulates a stack has lost it there.

export interface StackEffect {
  readonly takes: number;
  readonly gives: number;
}

const NONE: StackEffect = { takes: 0, gives: 0 };
const SOURCE: StackEffect = { takes: 0, gives: 1 };
const UNARY: StackEffect = { takes: 1, gives: 1 };
const BINARY: StackEffect = { takes: 2, gives: 1 };
const TERNARY: StackEffect = { takes: 3, gives: 1 };
const SINK: StackEffect = { takes: 1, gives: 0 };
const SINK_2: StackEffect = { takes: 2, gives: 0 };
const SINK_3: StackEffect = { takes: 3, gives: 0 };

/** First match wins. */
const RULES: readonly (readonly [RegExp, StackEffect])[] = [
  [/^(nop|data\.drop|elem\.drop|atomic\.fence)$/, NONE],
  [/^([if](32|64)|v128)\.const$|^global\.get$|^(memory|table)\.size$|^ref\.(null|func)$/, SOURCE],
  [/\.atomic\.rmw.*cmpxchg|^memory\.atomic\.wait/, TERNARY],
  [/\.atomic\.rmw|^memory\.atomic\.notify$/, BINARY],
  [/^v128\.load\d+_lane$/, BINARY],
  [/\.(atomic\.)?load|^memory\.grow$|^table\.get$|^ref\.is_null$/, UNARY],
  [/\.(atomic\.)?store|^table\.set$/, SINK_2],
  [/^(memory|table)\.(copy|fill|init)$/, SINK_3],
  [/^table\.grow$/, BINARY],
  [/^(global\.set|drop)$/, SINK],
  [/^select/, TERNARY],
  [/^v128\.bitselect$|\.relaxed_(madd|nmadd|laneselect)$|i7x16_add_s$/, TERNARY],
  [/^v128\.(not|any_true)$|x\d+\.(splat|all_true|bitmask|extract_lane|extend_|extadd_)/, UNARY],
  [/x\d+\.(abs|neg|popcnt|ceil|floor|trunc|nearest|sqrt|convert|demote|promote|relaxed_trunc)/, UNARY],
  [/^(v128|[if]\d+x\d+)\./, BINARY],
  [/^[if](32|64)\.(clz|ctz|popcnt|eqz|abs|neg|ceil|floor|trunc|nearest|sqrt)/, UNARY],
  [/^[if](32|64)\.(wrap|extend|convert|demote|promote|reinterpret)/, UNARY],
  [
    /^[if](32|64)\.(eq|ne|lt|gt|le|ge|add|sub|mul|div|rem|and|or|xor|shl|shr|rotl|rotr|min|max|copysign)/,
    BINARY,
  ],
];

const known = new Map<string, StackEffect | undefined>();

/** What an instruction does to the stack; undefined: not known. */
export function stackEffect(name: string): StackEffect | undefined {
  if (!known.has(name)) known.set(name, RULES.find(([pattern]) => pattern.test(name))?.[1]);
  return known.get(name);
}
