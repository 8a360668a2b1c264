import type { Container } from './container.ts'

/** Says where it stands five times a second, and repeats each line that it gets. */
const firmware = `#!/bin/sh
while :; do printf '{"angle":1.5}\\n'; sleep 0.2; done &
while read -r line; do printf 'heard %s\\n' "$line"; done
`
/** As udev leaves a port: for the group dialout. Held open by itself, as socat ends when nobody has the port open. */
const cable = `#!/bin/sh
socat PTY,link=/dev/board,raw,echo=0,mode=0660,group=dialout EXEC:/opt/board/firmware &
until [ -e /dev/board ]; do sleep 0.05; done
exec 3<>/dev/board
wait
`

/** An instrument inside a container, at the serial port `/dev/board`, which can be pulled and put back. */
export class SerialBoard {
  static readonly device = '/dev/board'
  readonly #container: Container

  constructor(container: Container) {
    this.#container = container
  }

  async plug(): Promise<void> {
    await this.#container.write('/opt/board/firmware', firmware, '755')
    await this.#container.write('/opt/board/cable', cable, '755')
    await this.#container.shell('systemd-run --quiet --collect --unit=board /opt/board/cable')
    await this.#container.shell(`until [ -e ${SerialBoard.device} ]; do sleep 0.05; done`)
  }

  /** The kernel hangs up, as it does when a USB plug is pulled; the name goes as well. */
  async unplug(): Promise<void> {
    await this.#container.shell(`systemctl kill --signal=KILL board && rm -f ${SerialBoard.device}`)
    await this.#container.shell('while systemctl is-active --quiet board; do sleep 0.05; done')
  }
}
