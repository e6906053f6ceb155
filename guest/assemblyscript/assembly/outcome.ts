/** Why a host function did not do it: the numbers of the ABI page. */
export enum ErrorNumber {
  None = 0,
  /** An argument makes no sense. */
  Invalid = 1,
  /** Bytes outside of the guest's memory. */
  BadPointer = 2,
  /** What is used was closed, or it is not for this. */
  BadHandle = 3,
  /** The path leads nowhere. */
  NotFound = 4,
  /** The path leads to something else than a file. */
  NotAFile = 5,
  /** The path leads to something else than a directory. */
  NotADirectory = 6,
  /** Well-formed, but not something this host does. */
  Unsupported = 7,
  /** Beyond a limit of the host. */
  TooLarge = 8,
  /** The job or the worker does not allow it. */
  Refused = 9,
  /** The network did not do it; never in a pure job. */
  Network = 10,
  /** Content is not what its type says it is. */
  Malformed = 11,
}

const names: string[] = [
  "ok",
  "invalid",
  "bad_pointer",
  "bad_handle",
  "not_found",
  "not_a_file",
  "not_a_directory",
  "unsupported",
  "too_large",
  "refused",
  "network",
  "malformed",
];

/** The name of an error, such as "not_found". */
export function errorName(error: i32): string {
  return error >= 0 && error < names.length ? names[error] : "error " + error.toString();
}

/**
 * What a call gave: a value, or an error. AssemblyScript catches nothing, so an error is looked at
 * (`outcome.error`), or `outcome.value` ends the run with what failed and the error's name.
 */
export class Outcome<T> {
  /** ErrorNumber.None (0) if there is a value. */
  readonly error: i32;
  private held: T | null;
  private what: string;

  constructor(error: i32, held: T | null, what: string) {
    this.error = error;
    this.held = held;
    this.what = what;
  }

  get ok(): bool {
    return this.error == 0;
  }

  get value(): T {
    if (this.error != 0) {
      throw new Error(this.what + ": " + errorName(this.error));
    }
    return this.held!;
  }

  static of<T>(value: T): Outcome<T> {
    return new Outcome<T>(0, value, "");
  }

  static failed<T>(answer: i64, what: string): Outcome<T> {
    return new Outcome<T>(i32(-answer), null, what);
  }
}
