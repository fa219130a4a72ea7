/** The only row of the table `chain` is missing. */
export class ChainLost extends Error {
  override readonly name = "ChainLost";

  constructor() {
    super("the event log lost its chain row; restore it from a backup");
  }
}
