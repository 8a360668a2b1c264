import { Counter, Gauge, type Registry } from 'prom-client'

/** A number that is counted elsewhere and only copied when somebody asks. */
export interface Sum {
  readonly name: string
  readonly help: string
  readonly value: () => number
}

/** Several of them under one name, told apart by a label. */
export interface LabelledSum {
  readonly name: string
  readonly help: string
  readonly label: string
  readonly values: () => Readonly<Record<string, number>>
}

export function addCounter(registry: Registry, { name, help, value }: Sum): void {
  const counter = new Counter({
    name,
    help,
    registers: [registry],
    collect(): void {
      counter.reset()
      counter.inc(value())
    },
  })
}

export function addGauge(registry: Registry, { name, help, value }: Sum): void {
  const gauge = new Gauge({
    name,
    help,
    registers: [registry],
    collect(): void {
      gauge.set(value())
    },
  })
}

export function addLabelledCounter(registry: Registry, { name, help, label, values }: LabelledSum): void {
  const counter = new Counter({
    name,
    help,
    labelNames: [label],
    registers: [registry],
    collect(): void {
      counter.reset()
      for (const [key, value] of Object.entries(values())) counter.inc({ [label]: key }, value)
    },
  })
}

export function addLabelledGauge(registry: Registry, { name, help, label, values }: LabelledSum): void {
  const gauge = new Gauge({
    name,
    help,
    labelNames: [label],
    registers: [registry],
    collect(): void {
      gauge.reset()
      for (const [key, value] of Object.entries(values())) gauge.set({ [label]: key }, value)
    },
  })
}
