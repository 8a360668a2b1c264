/** The library for MQTT, for those who load it only when they need it; see instrument/tty/serial-port.ts. */
export { MqttClient } from 'mqtt'
