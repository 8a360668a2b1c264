import JSMpeg, { type Renderer, type VideoDecoder, type WasmModule } from '@cycjimmy/jsmpeg-player'

/** The decoder's own buffer. Holds the largest picture twice, as it throws away what does not fit. */
const decoderBufferBytes = 2 * 1024 * 1024

/**
 * Makes one MPEG-1 decoder of jsmpeg: in WebAssembly where the browser allows it, else in JavaScript. Only its decoder and
 * renderers are used; the page brings links, demultiplexer and timing of its own, so that it reconnects with fresh codes
 * and never falls behind.
 */
export class Mpeg1DecoderFactory {
  readonly #wasm: WasmModule | undefined

  private constructor(wasm: WasmModule | undefined) {
    this.#wasm = wasm
  }

  static async load(): Promise<Mpeg1DecoderFactory> {
    return new Mpeg1DecoderFactory(await loadWasm())
  }

  createDecoder(destination: Renderer): VideoDecoder {
    const options = { streaming: true, decodeFirstFrame: false, videoBufferSize: decoderBufferBytes }
    const decoder =
      this.#wasm === undefined
        ? new JSMpeg.Decoder.MPEG1Video(options)
        : new JSMpeg.Decoder.MPEG1VideoWASM({ ...options, wasmModule: this.#wasm })
    decoder.connect(destination)
    return decoder
  }

  createRenderer(canvas: HTMLCanvasElement): Renderer & { destroy(): void } {
    // The picture stays readable after it was shown, for a still picture and for tests that compare pixels.
    const options = { canvas, preserveDrawingBuffer: true }
    return hasFastWebGl() ? new JSMpeg.Renderer.WebGL(options) : new JSMpeg.Renderer.Canvas2D(options)
  }
}

/** jsmpeg goes on after a failed assertion, in memory that is no longer sound; here the decoder stops. */
class StrictWasmModule extends JSMpeg.WASMModule {
  override c_assertFail(): void {
    throw new Error('the decoder found its own state broken')
  }
}

/** Undefined where the browser, or a policy, forbids WebAssembly. */
async function loadWasm(): Promise<WasmModule | undefined> {
  const bytes = JSMpeg.Base64ToArrayBuffer(JSMpeg.WASM_BINARY_INLINED)
  try {
    // jsmpeg does not say when its module cannot be compiled; this does.
    await WebAssembly.compile(bytes)
  } catch {
    return undefined
  }
  const wasm = new StrictWasmModule()
  return new Promise((resolve) => wasm.loadFromBuffer(bytes, (loaded) => resolve(loaded ?? undefined)))
}

/** WebGL that the processor makes is slower than the two-dimensional canvas: thin clients, virtual machines. */
function hasFastWebGl(): boolean {
  const context = document.createElement('canvas').getContext('webgl', { failIfMajorPerformanceCaveat: true })
  if (context === null) return false
  // Chromium gives SwiftShader without calling it a caveat.
  const info = context.getExtension('WEBGL_debug_renderer_info')
  const renderer: unknown = context.getParameter(
    info === null ? context.RENDERER : info.UNMASKED_RENDERER_WEBGL,
  )
  context.getExtension('WEBGL_lose_context')?.loseContext()
  return !/swiftshader|llvmpipe|softpipe|software|basic render/i.test(String(renderer))
}
