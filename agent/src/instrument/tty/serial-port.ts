/**
 * The library for serial ports, for those who load it only when they need it. By this file and not by its own name:
 * a bundle in several parts finds names of a CommonJS library only where they are imported statically.
 */
export { SerialPort } from 'serialport'
