/**
 * zstd's own decoder as wasm, for one frame that has been walked. Its memory is outside the
 * garbage collector's reach, so one instance with fixed buffers serves all small messages. [design 3]
 */
import { FrameError } from "./zstd_error.ts";
import { shortLivedBytes } from "./zstd_slab.ts";
import { zstdWasmBase64 } from "./zstd_wasm_bytes.ts";

/** Frames up to this go through the fixed input buffer, bytes. */
const INPUT_SIZE = 64 * 1024;
/** Contents up to this go through the fixed output buffer, bytes. */
const OUTPUT_SIZE = 256 * 1024;
/** What an instance may never grow beyond: the largest message, its content, and the rest, bytes. */
const MEMORY_LIMIT = 192 * 1024 * 1024;
const PAGE = 65536;

/** `ZSTD_error_dstSize_tooSmall`, as the decoder returns it. */
const OUTPUT_TOO_SMALL = -70;

/** The functions of the wasm module, under the short names that its build gave them. */
interface Exports {
  /** The memory. */
  readonly f: WebAssembly.Memory;
  /** Constructors, to be called once. */
  readonly g: () => void;
  /** `ZSTD_createDCtx`. */
  readonly n: () => number;
  /** `ZSTD_decompress_usingDict`: context, target, its size, source, its size, no dictionary. */
  readonly q: (
    context: number,
    target: number,
    capacity: number,
    source: number,
    size: number,
    dictionary: number,
    dictionarySize: number,
  ) => number;
  /** `malloc`; 0 when there is no memory. */
  readonly s: (size: number) => number;
  /** `free`. */
  readonly t: (pointer: number) => void;
}

/** One instance of the wasm module with its context and fixed buffers. */
class Decoder {
  readonly #wasm: Exports;
  readonly #context: number;
  readonly #input: number;
  readonly #output: number;
  /** The memory; replaced when it has grown. */
  #heap: Uint8Array<ArrayBuffer>;
  /** A large message has made the memory grow, which cannot shrink: give the instance up. */
  grown = false;

  constructor(module: WebAssembly.Module) {
    const refuse = () => {
      throw new WebAssembly.RuntimeError("the zstd decoder stopped");
    };
    const imports = {
      a: {
        a: refuse,
        b: refuse,
        c: refuse,
        d: refuse,
        e: (size: number) => this.#grow(size >>> 0),
      },
    };
    this.#wasm = new WebAssembly.Instance(module, imports).exports as unknown as Exports;
    this.#heap = new Uint8Array(this.#wasm.f.buffer as ArrayBuffer);
    this.#wasm.g();
    this.#context = this.#wasm.n();
    this.#input = this.#allocate(INPUT_SIZE);
    this.#output = this.#allocate(OUTPUT_SIZE);
    this.#heap = new Uint8Array(this.#wasm.f.buffer as ArrayBuffer);
  }

  /** Bytes of the memory. */
  get memorySize(): number {
    return this.#wasm.f.buffer.byteLength;
  }

  decode(frame: Uint8Array, capacity: number): Uint8Array | number {
    const fits = frame.length <= INPUT_SIZE;
    if (fits && capacity <= OUTPUT_SIZE) return this.#decodeSmall(frame, capacity);
    if (fits) {
      const first = this.#decodeSmall(frame, OUTPUT_SIZE);
      if (first !== OUTPUT_TOO_SMALL) return first;
    }
    const input = fits ? this.#input : this.#allocate(frame.length);
    const output = this.#allocate(capacity);
    this.#heap = new Uint8Array(this.#wasm.f.buffer as ArrayBuffer);
    const result = this.#run(frame, input, output, capacity);
    this.#wasm.t(output);
    if (!fits) this.#wasm.t(input);
    return result;
  }

  #decodeSmall(frame: Uint8Array, capacity: number): Uint8Array | number {
    return this.#run(frame, this.#input, this.#output, capacity);
  }

  #run(frame: Uint8Array, input: number, output: number, capacity: number): Uint8Array | number {
    const heap = this.#heap;
    heap.set(frame, input);
    const size = this.#wasm.q(this.#context, output, capacity, input, frame.length, 0, 0);
    if (size < 0) return size;
    if (size > capacity) throw new WebAssembly.RuntimeError("the zstd decoder wrote too much");
    const content = shortLivedBytes(size);
    content.set(heap.subarray(output, output + size));
    return content;
  }

  #allocate(size: number): number {
    const pointer = this.#wasm.s(size);
    if (pointer === 0) throw new WebAssembly.RuntimeError("the zstd decoder has no memory");
    return pointer;
  }

  /** What emscripten's runtime does when its heap is full: 1 when the memory has grown. */
  #grow(size: number): number {
    if (size > MEMORY_LIMIT) return 0;
    const memory = this.#wasm.f;
    try {
      memory.grow(Math.ceil((size - memory.buffer.byteLength) / PAGE));
      this.grown = true;
      return 1;
    } catch {
      return 0;
    }
  }
}

let compiled: WebAssembly.Module | undefined;
let decoder: Decoder | undefined;

function wasmModule(): WebAssembly.Module {
  const text = atob(zstdWasmBase64);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return new WebAssembly.Module(bytes);
}

/** Compiles the decoder, which the first message would otherwise wait for (a few milliseconds). */
export function prepareZstd(): void {
  decoder ??= new Decoder(compiled ??= wasmModule());
}

/** Bytes of memory that the decoder holds now, for metrics and tests; 0 before its first use. */
export function zstdMemory(): number {
  return decoder?.memorySize ?? 0;
}

/**
 * Decodes one whole frame, verifying its checksum if it has one.
 *
 * @param frame exactly one frame, walked before
 * @param bound bytes that the content has at most, by the frame's headers
 * @param limit bytes that the content may have
 * @returns a copy of the content
 * @throws {FrameError} `corrupt`, or `too-large` when the content is above `limit`
 */
export function decodeFrame(frame: Uint8Array, bound: number, limit: number): Uint8Array {
  const capacity = bound < limit ? bound : limit;
  let result: Uint8Array | number;
  try {
    prepareZstd();
    result = (decoder as Decoder).decode(frame, capacity);
  } catch (error) {
    // An instance that trapped may have been left in any state.
    decoder = undefined;
    throw new FrameError(`Cannot decode a zstd frame: ${(error as Error).message}`, "corrupt");
  }
  if ((decoder as Decoder).grown) decoder = undefined;
  if (typeof result !== "number") return result;
  if (result === OUTPUT_TOO_SMALL && limit < bound) {
    throw new FrameError(`The zstd frame holds over ${limit} bytes`, "too-large");
  }
  throw new FrameError(`Cannot decode a zstd frame: code ${-result}`, "corrupt");
}
