import { hasTemplate, recordBytes } from '@shoal/control-store'
import type { StoredRecord } from '@shoal/control-store'
import { LIMITS } from '@shoal/protocol'
import type { LedgerTemplate } from '@shoal/protocol'

/** What a record takes beside its value. */
const RECORD_BYTES = 64
const TEMPLATE_BYTES = 400

/** One message's records, with each template once. */
export class RecordBatch {
  readonly #templates = new Map<LedgerTemplate, number>()
  readonly #byHash = new Map<string, number>()
  readonly #list: LedgerTemplate[] = []
  readonly #records: StoredRecord['record'][] = []
  #bytes = 0

  get isEmpty(): boolean {
    return this.#records.length === 0
  }

  /** False when it is full; the first one always fits. */
  add({ record, template }: StoredRecord): boolean {
    const bytes = RECORD_BYTES + recordBytes(record)
    const place = template === undefined ? 0 : this.#placeOf(template)
    const isFull =
      this.#bytes + bytes > LIMITS.controlMessageBytes / 2 ||
      this.#records.length >= LIMITS.taskArguments - 1 ||
      place >= LIMITS.taskArguments - 1
    if (isFull && !this.isEmpty) return false
    this.#bytes += bytes
    const { body } = record
    this.#records.push(hasTemplate(body) ? { ...record, body: { ...body, template: place } } : record)
    return true
  }

  take(): { templates: LedgerTemplate[]; records: StoredRecord['record'][] } {
    return { templates: this.#list, records: this.#records }
  }

  #placeOf(template: LedgerTemplate): number {
    const known = this.#templates.get(template)
    if (known !== undefined) return known
    // Equal ones are made anew with each record.
    const { submitter: _key, signature: _leave, ...rest } = template
    const key = JSON.stringify(rest, (_, value: unknown) => (value === Infinity ? 'Infinity' : value))
    let place = this.#byHash.get(key)
    if (place === undefined) {
      place = this.#list.push(template) - 1
      this.#byHash.set(key, place)
      this.#bytes += TEMPLATE_BYTES
    }
    this.#templates.set(template, place)
    return place
  }
}
