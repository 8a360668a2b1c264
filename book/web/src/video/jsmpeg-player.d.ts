/** The parts of jsmpeg that the page uses; the package has no types of its own. */
declare module '@cycjimmy/jsmpeg-player' {
  export interface Renderer {
    resize(width: number, height: number): void
    render(y: Uint8Array, cb: Uint8Array, cr: Uint8Array, isClampedArray: boolean): void
  }

  export interface VideoDecoder {
    connect(destination: Renderer): void
    write(pts: number, buffers: readonly Uint8Array[]): void
    /** Decodes one picture; false when there is none. */
    decode(): boolean
  }

  export interface WasmModule {
    readonly ready: boolean
    loadFromBuffer(buffer: ArrayBuffer, onReady: (module: WasmModule | null) => void): void
  }

  export interface DecoderOptions {
    readonly streaming: boolean
    readonly decodeFirstFrame: boolean
    readonly videoBufferSize: number
    readonly wasmModule?: WasmModule
  }

  export interface RendererOptions {
    readonly canvas: HTMLCanvasElement
    readonly preserveDrawingBuffer?: boolean
  }

  const JSMpeg: {
    readonly Decoder: {
      readonly MPEG1Video: new (options: DecoderOptions) => VideoDecoder
      readonly MPEG1VideoWASM: new (options: DecoderOptions) => VideoDecoder
    }
    readonly Renderer: {
      readonly WebGL: new (options: RendererOptions) => Renderer & { destroy(): void }
      readonly Canvas2D: new (options: RendererOptions) => Renderer & { destroy(): void }
    }
    readonly WASMModule: new () => WasmModule & { c_assertFail(): void }
    readonly Base64ToArrayBuffer: (text: string) => ArrayBuffer
    readonly WASM_BINARY_INLINED: string
  }
  export default JSMpeg
}
