import { useState } from 'preact/hooks'
import { call, Problem } from '../api'
import { Empty } from '../parts/empty'
import { Choice, Num, Text } from '../parts/form'
import { Table } from '../parts/table'
import { attempt, load, say } from '../state'
import type { Imported, ImportReport } from '../types'

const formats = [
  { value: '', label: 'as the file says' },
  { value: 'geojson', label: 'GeoJSON' },
  { value: 'kml', label: 'KML' },
  { value: 'kmz', label: 'KMZ' },
  { value: 'gpx', label: 'GPX' },
  { value: 'wkt', label: 'WKT, a line each' },
  { value: 'csv', label: 'CSV of circles' },
  { value: 'tile38', label: 'Tile38 commands' },
]

/** Geofences from files, and into them. */
export function Transfer() {
  const [file, setFile] = useState<File>()
  const [format, setFormat] = useState('')
  const [order, setOrder] = useState('lonlat')
  const [radius, setRadius] = useState(0)
  const [width, setWidth] = useState(0)
  const [tag, setTag] = useState('')
  const [busy, setBusy] = useState(false)
  const [report, setReport] = useState<ImportReport>()
  const [problem, setProblem] = useState('')
  const send = async (mode: 'check' | 'put', what = file): Promise<void> => {
    if (!what) return
    setBusy(true)
    setProblem('')
    const q = new URLSearchParams({ mode, order })
    if (format) q.set('format', format)
    if (radius > 0) q.set('radius_m', String(radius))
    if (width > 0) q.set('width_m', String(width))
    if (tag) q.set('tag', tag)
    try {
      const answer = await call(`geofences/import?${q}`, {
        method: 'POST',
        body: what,
        type: 'application/octet-stream',
      })
      const found: ImportReport = await answer.json()
      setReport(found)
      if (mode === 'put') {
        say(`${found.stored} geofences imported.`)
        await attempt(load)
      }
    } catch (cause) {
      if (cause instanceof Problem && cause.report) setReport(cause.report)
      else {
        setReport(undefined)
        setProblem(cause instanceof Error ? cause.message : String(cause))
      }
    } finally {
      setBusy(false)
    }
  }
  const choose = (f?: File): void => {
    setFile(f)
    setReport(undefined)
    if (f) send('check', f)
  }
  return (
    <section class="sheet" aria-label="Import">
      <header class="sheethead">
        <h1>Import and export</h1>
        <p class="hint">
          A file is imported whole or not at all. First you see what is wrong with it, and what was put right.
        </p>
      </header>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: dropping is a short cut; the field inside does the same by keyboard */}
      <div
        class="box drop"
        onDragOver={e => e.preventDefault()}
        onDrop={e => {
          e.preventDefault()
          choose(e.dataTransfer?.files[0])
        }}
      >
        <label>
          File: drop it here, or choose it
          <input type="file" onChange={e => choose(e.currentTarget.files?.[0])} />
        </label>
        <div class="hours">
          <Choice label="Format" value={format} set={setFormat} options={formats} />
          <Choice
            label="WKT writes"
            value={order}
            set={setOrder}
            options={[
              { value: 'lonlat', label: 'longitude latitude' },
              { value: 'latlon', label: 'latitude longitude (Traccar)' },
            ]}
          />
          <Num label="Radius of bare points" unit="m" min={0} value={radius} set={setRadius} />
          <Num label="Width of bare lines" unit="m" min={0} value={width} set={setWidth} />
          <Text label="Tag them all" value={tag} set={setTag} />
        </div>
        <p class="actions">
          <button type="button" disabled={!file || busy} onClick={() => send('check')}>
            Check again
          </button>
          <button
            type="button"
            class="primary"
            disabled={!report || report.refused > 0 || report.good === 0 || busy}
            onClick={() => send('put')}
          >
            Import {report?.good ?? ''}
          </button>
        </p>
      </div>
      <div aria-live="polite">
        {busy && <p class="loading">Reading …</p>}
        {problem && (
          <p class="faults" role="alert">
            {problem}
          </p>
        )}
        {report && !busy && <Report report={report} />}
      </div>
      <Export />
    </section>
  )
}

function Report({ report }: { report: ImportReport }) {
  return (
    <div class="report">
      <p>
        <b>{report.good}</b> of {report.read} can be used, {report.repaired} of them after a repair;{' '}
        <b>{report.refused}</b> refused.
        {report.stored > 0 && ` ${report.stored} stored.`}
      </p>
      {report.findings.length > 0 && (
        <Table<Imported>
          caption="What is to be said of them"
          rows={report.findings}
          id={f => String(f.index)}
          columns={[
            { title: 'Geofence', cell: f => f.name || f.id || `number ${f.index + 1}` },
            { title: 'Line', narrow: true, cell: f => f.line || '' },
            {
              title: 'What',
              cell: f =>
                f.fault ? (
                  <span class="faults">{`${f.field ? `${f.field}: ` : ''}${f.fault}`}</span>
                ) : (
                  (f.repairs ?? []).join('; ')
                ),
            },
          ]}
        />
      )}
    </div>
  )
}

function Export() {
  const [format, setFormat] = useState('geojson')
  const save = (): Promise<unknown> =>
    attempt(async () => {
      const answer = await call(`geofences/export?format=${format}`)
      const a = document.createElement('a')
      a.href = URL.createObjectURL(await answer.blob())
      a.download = `geofences.${format}`
      a.click()
      URL.revokeObjectURL(a.href)
    })
  return (
    <div class="box">
      <h2>Export</h2>
      <div class="inline">
        <Choice
          label="Export as"
          value={format}
          set={setFormat}
          options={formats.filter(f => f.value && f.value !== 'tile38')}
        />
        <button type="button" onClick={save}>
          Save the file
        </button>
      </div>
      <Empty title="Or as a layer">
        <p>
          QGIS and others read the geofences at <code>/ogc/</code>, as OGC API – Features.
        </p>
      </Empty>
    </div>
  )
}
