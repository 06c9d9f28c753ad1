/** Why there is no release, in a sentence that names the value and the rule. Nothing has been changed. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}
