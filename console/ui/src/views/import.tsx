import { useState } from 'preact/hooks'
import { call, Problem } from '../api'
import { boundsOf, type LonLat, pointsOf } from '../lib/geo'
import { frame } from '../map/focus'
import { Icon } from '../parts/icon'
import { fences, load, say } from '../state'

/** What an import found, feature by feature. */
interface Report {
  applied?: boolean
  features?: number
  imported?: number
  faults?: { feature?: string; index?: number; line?: number; message: string; at?: [number, number] }[]
  repairs?: { feature?: string; index?: number; message: string }[]
}

const kinds = '.geojson,.json,.kml,.kmz,.gpx,.wkt,.csv,.txt'

/** Takes a file of fences, dropped or chosen, and says of every feature what was wrong with it. */
export function ImportDrop() {
  const [over, setOver] = useState(false)
  const [busy, setBusy] = useState('')
  const [report, setReport] = useState<{ file: string; report?: Report; problem?: Problem } | undefined>()
  const take = async (file: File | undefined): Promise<void> => {
    if (!file) return
    setBusy(file.name)
    setReport(undefined)
    try {
      const answer = await call(`geofences/import?filename=${encodeURIComponent(file.name)}`, {
        method: 'POST',
        body: file,
        type: file.type || typeOf(file.name),
      })
      const done: Report = await answer.json()
      setReport({ file: file.name, report: done })
      await load()
      look()
      if (!done.faults?.length) say(`${done.imported ?? done.features ?? ''} fences imported from ${file.name}.`)
    } catch (cause) {
      if (cause instanceof Problem) setReport({ file: file.name, problem: cause })
      else throw cause
    } finally {
      setBusy('')
    }
  }
  return (
    <section
      aria-label="Import fences"
      class={over ? 'drop over' : 'drop'}
      onDragOver={e => {
        e.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={e => {
        e.preventDefault()
        setOver(false)
        void take(e.dataTransfer?.files[0])
      }}
    >
      <label class="filepick">
        <Icon name="import" />
        <span>{busy ? `Reading ${busy} …` : 'Import: drop a file here, or choose one'}</span>
        <input
          type="file"
          accept={kinds}
          class="hidden"
          onChange={e => {
            void take(e.currentTarget.files?.[0])
            e.currentTarget.value = ''
          }}
        />
      </label>
      {report && <ReportView {...report} close={() => setReport(undefined)} />}
    </section>
  )
}

function ReportView({
  file,
  report,
  problem,
  close,
}: {
  file: string
  report?: Report
  problem?: Problem
  close: () => void
}) {
  const bad = problem ? problem.faults.map(f => ({ feature: f.field, message: f.message })) : (report?.faults ?? [])
  return (
    <div class="report" role="alert">
      <header>
        <b>{file}</b>
        <button type="button" class="quiet" aria-label="Close the report" onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      {problem && <p>Nothing was imported. {bad.length === 0 && problem.message}</p>}
      {bad.length > 0 && (
        <ul class="bad">
          {bad.slice(0, 50).map((f, i) => (
            <li key={i}>
              {f.feature && <b>{f.feature}: </b>}
              {f.message}
            </li>
          ))}
        </ul>
      )}
      {(report?.repairs?.length ?? 0) > 0 && (
        <>
          <p>Repaired:</p>
          <ul>
            {report!.repairs!.slice(0, 50).map((f, i) => (
              <li key={i}>
                {f.feature && <b>{f.feature}: </b>}
                {f.message}
              </li>
            ))}
          </ul>
        </>
      )}
      {!problem && bad.length === 0 && !report?.repairs?.length && <p>Every feature was good.</p>}
    </div>
  )
}

function look(): void {
  const points: LonLat[] = []
  for (const f of fences.value.values()) points.push(...pointsOf(f.geometry))
  const box = boundsOf(points)
  if (box) frame.value = { box, maxZoom: 15 }
}

function typeOf(name: string): string {
  const end = name.toLowerCase().split('.').at(-1) ?? ''
  const types: Record<string, string> = {
    geojson: 'application/geo+json',
    json: 'application/geo+json',
    kml: 'application/vnd.google-earth.kml+xml',
    kmz: 'application/vnd.google-earth.kmz',
    gpx: 'application/gpx+xml',
    csv: 'text/csv',
    wkt: 'text/plain',
    txt: 'text/plain',
  }
  return types[end] ?? 'application/octet-stream'
}
