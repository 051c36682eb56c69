import { searchFiles } from '../text-search.ts'
import source from '../text-search.ts?raw'
import { createCard, make } from './card.ts'
import type { Card } from './card.ts'

const MOST_SHOWN = 30

export function searchCard(): Card {
  const words = make('input', { type: 'search', value: 'wait', placeholder: 'Search for' })
  words.setAttribute('aria-label', 'Search for')
  let files: readonly File[] = [new File([source], 'text-search.ts', { type: 'text/plain' })]
  const card = createCard({
    id: 'search',
    title: 'Text search over dropped files',
    about: 'Searches each file in a task of its own. Until you drop some, it searches its own code.',
    source,
    action: 'Search',
    controls: [words],
    async run(shown) {
      const list = make('ul', { className: 'matches' })
      shown.show(drop, list)
      let done = 0
      const total = await searchFiles(files, words.value, ({ name, matches, problem }) => {
        shown.say(`${++done} of ${files.length} files`)
        const items =
          problem === undefined ? matches.map(({ line, text }) => [`${name}:${line}`, text]) : [[name, problem]]
        for (const [place = '', text = ''] of items.slice(0, MOST_SHOWN - list.childElementCount))
          list.append(itemOf(place, text))
      })
      shown.say(`${total} lines in ${files.length} ${files.length === 1 ? 'file' : 'files'}`)
    },
  })
  const drop = createDrop((dropped) => {
    files = dropped
    card.say(`${files.length} ${files.length === 1 ? 'file' : 'files'} to search`)
  })
  card.show(drop)
  return card
}

function itemOf(place: string, text: string): HTMLLIElement {
  const item = make('li')
  item.append(make('b', { textContent: place }), text)
  return item
}

/** Where files are dropped or, on a phone, chosen. */
function createDrop(onFiles: (files: readonly File[]) => void): HTMLElement {
  const area = make('div', { className: 'drop' })
  const label = make('label', { className: 'file-button', textContent: 'choose them' })
  const input = make('input', { type: 'file', multiple: true })
  input.onchange = () => onFiles([...(input.files ?? [])])
  label.append(input)
  area.append('Drop files here, or ', label)
  area.ondragover = (event) => {
    event.preventDefault()
    area.classList.add('is-over')
  }
  area.ondragleave = () => area.classList.remove('is-over')
  area.ondrop = (event) => {
    event.preventDefault()
    area.classList.remove('is-over')
    onFiles([...(event.dataTransfer?.files ?? [])])
  }
  return area
}
