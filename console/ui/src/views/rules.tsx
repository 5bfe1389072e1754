import { useEffect, useState } from 'preact/hooks'
import { get, post, put, remove, seg } from '../api'
import { allKinds, exactly, kindWords } from '../lib/format'
import { ByID } from '../parts/byid'
import { Empty } from '../parts/empty'
import { Choice, Field, Num, Tags, Text } from '../parts/form'
import { Refusal, useSave } from '../parts/save'
import { Table } from '../parts/table'
import { go, href, route } from '../router'
import { attempt, fenceName, ownerName, say, vehicles } from '../state'
import type { Hours, List, Outcome, Rule, Trial } from '../types'

/** Who hears of what. */
export function Rules() {
  const [rules, setRules] = useState<Rule[]>()
  const load = (): Promise<unknown> => attempt(async () => setRules((await get<List<Rule>>('rules')).items))
  useEffect(() => {
    load()
  }, [route.value.id])
  if (!rules) return null
  const open = route.value.id
  if (open)
    return (
      <OneRule key={open} r={rules.find(r => r.id === open) ?? { id: open, events: ['enter', 'exit'], made: false }} />
    )
  return (
    <section class="sheet" aria-label="Rules">
      <header class="sheethead">
        <h1>Rules</h1>
        <p class="hint">
          Which vehicles, at which geofences, tell what, when, and to whom. A person is told once of each event, by the
          first rule that says so.
        </p>
      </header>
      <div class="filters">
        <ByID label="New rule" placeholder="an id, such as night-watch" verb="Create" view="rules" />
      </div>
      <Table
        caption="Rules"
        rows={rules}
        id={r => r.id}
        open={r => go('rules', r.id)}
        columns={[
          {
            title: 'Rule',
            cell: r => (
              <>
                <b>{r.name || r.id}</b> {r.disabled && <em class="tag">off</em>}{' '}
                {r.priority === 'high' && <em class="tag">high priority</em>}
              </>
            ),
          },
          { title: 'Vehicles', narrow: true, cell: r => chosen(r.vehicles) },
          { title: 'Geofences', narrow: true, cell: r => chosen(r.geofences, fenceName) },
          { title: 'Events', cell: r => r.events.join(', ') },
          { title: 'To', cell: r => people(r) },
        ]}
      />
    </section>
  )
}

const chosen = (s: Rule['vehicles'], name: (id: string) => string = x => x): string =>
  [...(s?.ids ?? []).map(name), ...(s?.tags ?? []).map(t => `#${t}`)].join(', ') || 'all'

const people = (r: Rule): string =>
  [...(r.to?.not_vehicle_owners ? [] : ['the vehicle’s owners']), ...(r.to?.owners ?? []).map(ownerName)].join(', ')

const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']

function OneRule({ r }: { r: Rule }) {
  const [rule, setRule] = useState<Rule>(r)
  const set = (x: Partial<Rule>): void => setRule({ ...rule, ...x })
  const { save, fault, problem } = useSave(async () => {
    const saved = await put<Rule>(`rules/${seg(r.id)}`, body(rule))
    setRule(saved)
    return {}
  })
  const drop = async (): Promise<void> => {
    await attempt(async () => {
      await remove(`rules/${seg(r.id)}`)
      say(r.id === 'default' ? 'The usual rule is back.' : 'Deleted.')
      go('rules')
    })
  }
  const hours = rule.schedule?.windows ?? []
  const setHours = (windows: Hours[]): void => set({ schedule: { ...rule.schedule, windows } })
  return (
    <section class="sheet" aria-label={`Rule ${rule.name || rule.id}`}>
      <header class="sheethead">
        <p>
          <a href={href('rules')}>Rules</a> /
        </p>
        <h1>{rule.name || rule.id}</h1>
      </header>
      <div class="columns">
        <form class="box" onSubmit={save}>
          <Refusal problem={problem} />
          <Text label="Name" value={rule.name ?? ''} set={name => set({ name })} fault={fault('name')} />
          <label class="check">
            <input
              type="checkbox"
              checked={!rule.disabled}
              onChange={e => set({ disabled: !e.currentTarget.checked })}
            />{' '}
            In force
          </label>
          <fieldset>
            <legend>What happens</legend>
            <div class="hours">
              {allKinds.map(k => (
                <label class="check" key={k}>
                  <input
                    type="checkbox"
                    checked={rule.events.includes(k)}
                    onChange={e =>
                      set({
                        events: allKinds.filter(x => (x === k ? e.currentTarget.checked : rule.events.includes(x))),
                      })
                    }
                  />{' '}
                  {k.replace('_', ' ')}
                </label>
              ))}
            </div>
            {fault('events') && <p class="faults">{fault('events')}</p>}
          </fieldset>
          <Reading rule={rule} set={set} fault={fault} />
          <Tags
            label="Vehicles"
            value={rule.vehicles?.ids ?? []}
            set={ids => set({ vehicles: { ...rule.vehicles, ids } })}
            hint="ids, separated by commas; none and no tag: all"
          />
          <Tags
            label="Vehicles with a tag"
            value={rule.vehicles?.tags ?? []}
            set={tags => set({ vehicles: { ...rule.vehicles, tags } })}
          />
          <Tags
            label="Geofences"
            value={rule.geofences?.ids ?? []}
            set={ids => set({ geofences: { ...rule.geofences, ids } })}
            hint="ids, separated by commas; none and no tag: all"
          />
          <Tags
            label="Geofences with a tag"
            value={rule.geofences?.tags ?? []}
            set={tags => set({ geofences: { ...rule.geofences, tags } })}
          />
          <fieldset>
            <legend>When</legend>
            {hours.map((h, i) => (
              <div class="hours" key={i}>
                <Text
                  label="From"
                  type="time"
                  value={h.from}
                  set={from => setHours(hours.map((x, k) => (k === i ? { ...x, from } : x)))}
                  fault={fault(`schedule.windows[${i}].from`)}
                />
                <Text
                  label="To"
                  type="time"
                  value={h.to}
                  set={to => setHours(hours.map((x, k) => (k === i ? { ...x, to } : x)))}
                  fault={fault(`schedule.windows[${i}].to`)}
                />
                <fieldset class="days">
                  <legend class="hidden">Days of window {i + 1}</legend>
                  {days.map(d => (
                    <label class="check" key={d}>
                      <input
                        type="checkbox"
                        checked={!h.days?.length || h.days.includes(d)}
                        onChange={e => {
                          const now = h.days?.length ? h.days : days
                          const next = days.filter(x => (x === d ? e.currentTarget.checked : now.includes(x)))
                          setHours(hours.map((x, k) => (k === i ? { ...x, days: next } : x)))
                        }}
                      />{' '}
                      {d}
                    </label>
                  ))}
                </fieldset>
                <button
                  type="button"
                  class="quiet"
                  aria-label={`Remove window ${i + 1}`}
                  onClick={() => setHours(hours.filter((_, k) => k !== i))}
                >
                  ✕
                </button>
              </div>
            ))}
            <button type="button" onClick={() => setHours([...hours, { from: '22:00', to: '06:00' }])}>
              Add a time of day
            </button>
            <Text
              label="Time zone"
              value={rule.schedule?.time_zone ?? ''}
              set={time_zone => set({ schedule: { ...rule.schedule, time_zone } })}
              fault={fault('schedule.time_zone')}
              placeholder="UTC"
            />
            <Tags
              label="But not on"
              value={rule.schedule?.except ?? []}
              set={except => set({ schedule: { ...rule.schedule, except } })}
              hint="holidays, as 2026-12-24, separated by commas"
            />
            {fault('schedule.except') && <p class="faults">{fault('schedule.except')}</p>}
            <Calendar
              label="A calendar of times"
              value={rule.schedule?.icalendar}
              set={icalendar => set({ schedule: { ...rule.schedule, icalendar } })}
              fault={fault('schedule.icalendar')}
              hint="an iCalendar (.ics): the rule holds during its events, and in the times above"
            />
            <Calendar
              label="A calendar of holidays"
              value={rule.schedule?.except_icalendar}
              set={except_icalendar => set({ schedule: { ...rule.schedule, except_icalendar } })}
              fault={fault('schedule.except_icalendar')}
              hint="an iCalendar (.ics): what begins on its days does not count"
            />
          </fieldset>
          <fieldset>
            <legend>To whom</legend>
            <label class="check">
              <input
                type="checkbox"
                checked={!rule.to?.not_vehicle_owners}
                onChange={e => set({ to: { ...rule.to, not_vehicle_owners: !e.currentTarget.checked } })}
              />{' '}
              The owners of the vehicle
            </label>
            <Tags
              label="And these people"
              value={rule.to?.owners ?? []}
              set={owners => set({ to: { ...rule.to, owners } })}
              hint="ids of owners, separated by commas"
            />
            {fault('to') && <p class="faults">{fault('to')}</p>}
          </fieldset>
          <Text
            label="In these words"
            value={rule.text ?? ''}
            set={text => set({ text })}
            fault={fault('text')}
            placeholder="{vehicle} has reached {fence} at {time}"
            hint="empty: the usual sentence in each person’s language"
          />
          <div class="hours">
            <Num
              label="Not again for"
              unit="s"
              min={0}
              value={rule.cooldown_s ?? 0}
              set={cooldown_s => set({ cooldown_s })}
              fault={fault('cooldown_s')}
            />
            <Num
              label="Too old after"
              unit="s"
              min={0}
              value={rule.max_age_s ?? 0}
              set={max_age_s => set({ max_age_s })}
              fault={fault('max_age_s')}
              hint="0: as the gateway is set"
            />
          </div>
          <div class="hours">
            <Text
              label="Quiet from"
              type="time"
              value={rule.quiet_hours?.from ?? ''}
              set={from => set({ quiet_hours: { from, to: rule.quiet_hours?.to ?? '07:00' } })}
              fault={fault('quiet_hours')}
            />
            <Text
              label="Quiet until"
              type="time"
              value={rule.quiet_hours?.to ?? ''}
              set={to => set({ quiet_hours: { from: rule.quiet_hours?.from ?? '22:00', to } })}
              hint="by each person’s own clock"
            />
            <Choice
              label="Priority"
              value={rule.priority ?? 'normal'}
              set={p => set({ priority: p as Rule['priority'] })}
              options={[
                { value: 'normal', label: 'normal' },
                { value: 'high', label: 'high: no quiet hours' },
              ]}
            />
            <Choice
              label="How sure"
              value={String(rule.min_confidence || 1)}
              set={v => set({ min_confidence: Number(v) })}
              options={[
                { value: '1', label: 'everything' },
                { value: '2', label: 'likely' },
                { value: '3', label: 'certain only' },
              ]}
            />
          </div>
          <p class="actions">
            <button type="submit" class="primary">
              Save
            </button>
            {rule.made && (
              <button type="button" class="danger" onClick={drop}>
                {rule.id === 'default' ? 'Back to the usual rule' : 'Delete'}
              </button>
            )}
          </p>
        </form>
        <DryRun rule={rule} />
      </div>
    </section>
  )
}

/** A calendar from a file, and what is in it. */
function Calendar(p: { label: string; value?: string; set: (text?: string) => void; fault?: string; hint: string }) {
  const events = p.value?.match(/^BEGIN:VEVENT/gm)?.length ?? 0
  const read = async (file?: File): Promise<void> => {
    if (file) p.set(await file.text())
  }
  return (
    <>
      <Field label={p.label} hint={p.hint} fault={p.fault}>
        {a => <input {...a} type="file" accept=".ics,text/calendar" onChange={e => read(e.currentTarget.files?.[0])} />}
      </Field>
      {p.value && (
        <p class="inline">
          <span>
            {events} {events === 1 ? 'event' : 'events'} in it.
          </span>
          <button type="button" class="quiet" onClick={() => p.set(undefined)} aria-label={`Remove: ${p.label}`}>
            Remove
          </button>
        </p>
      )}
    </>
  )
}

/** Thresholds that a rule may have of its own, and the events they belong to. */
const thresholds = [
  { key: 'dwell_s', label: 'A stay is long after', unit: 's', of: ['dwell'] },
  { key: 'speed_limit_kmh', label: 'Too fast above', unit: 'km/h', of: ['overspeed', 'overspeed_end'] },
  { key: 'speed_for_s', label: 'For at least', unit: 's', of: ['overspeed', 'overspeed_end'] },
  { key: 'stopped_s', label: 'A stop is long after', unit: 's', of: ['stopped'] },
  { key: 'silent_s', label: 'A silence is long after', unit: 's', of: ['silent'] },
] as const

const concerns = (r: Rule, of: readonly string[]): boolean => of.some(k => r.events.includes(k))

/** How the rule has geofences read, where it says otherwise than they do. */
function Reading(p: { rule: Rule; set: (x: Partial<Rule>) => void; fault: (field: string) => string | undefined }) {
  return (
    <fieldset>
      <legend>How it is seen</legend>
      <div class="hours">
        <Choice
          label="A crossing takes"
          value={p.rule.preset ?? ''}
          set={v => p.set({ preset: (v || undefined) as Rule['preset'] })}
          options={[
            { value: '', label: 'the usual evidence' },
            { value: 'strict', label: 'little: told as early as can be' },
            { value: 'balanced', label: 'a few metres beyond doubt' },
            { value: 'calm', label: 'much: nothing at the boundary' },
          ]}
        />
        {thresholds
          .filter(t => concerns(p.rule, t.of))
          .map(t => (
            <Num
              key={t.key}
              label={t.label}
              unit={t.unit}
              min={0}
              value={p.rule[t.key] ?? 0}
              set={n => p.set({ [t.key]: n || undefined })}
              fault={p.fault(t.key)}
            />
          ))}
      </div>
      {thresholds.some(t => concerns(p.rule, t.of)) && <p class="hint">0: as each geofence says for itself.</p>}
    </fieldset>
  )
}

/** What goes to the gateway: parts that say nothing are left out. */
function body(r: Rule): object {
  const { id: _, made: __, updated: ___, ...rest } = r
  const some = (s: Rule['vehicles']): Rule['vehicles'] => (s?.ids?.length || s?.tags?.length ? s : undefined)
  const when = r.schedule
  const gone = Object.fromEntries(thresholds.filter(t => !concerns(r, t.of)).map(t => [t.key, undefined]))
  return {
    ...rest,
    ...gone,
    vehicles: some(r.vehicles),
    geofences: some(r.geofences),
    schedule:
      when && (when.windows?.length || when.except?.length || when.time_zone || when.icalendar || when.except_icalendar)
        ? when
        : undefined,
    quiet_hours: r.quiet_hours?.from && r.quiet_hours.to ? r.quiet_hours : undefined,
    text: r.text || undefined,
    priority: r.priority === 'high' ? 'high' : undefined,
  }
}

/** What the rule would have told, before anybody is told. */
function DryRun({ rule }: { rule: Rule }) {
  const [span, setSpan] = useState(7)
  const [found, setFound] = useState<Trial>()
  const [problem, setProblem] = useState('')
  const [busy, setBusy] = useState(false)
  const run = async (): Promise<void> => {
    setProblem('')
    setBusy(true)
    try {
      setFound(await post<Trial>(`rules/dry-run?days=${span}`, body(rule)))
    } catch (cause) {
      setFound(undefined)
      setProblem(cause instanceof Error ? cause.message : String(cause))
    } finally {
      setBusy(false)
    }
  }
  return (
    <div class="box" aria-live="polite">
      <h2>Try it</h2>
      <p class="hint">
        What would this rule have told, as it stands here? The engine looks at the kept positions anew, for 30 seconds
        at most. Nothing is stored or sent.
      </p>
      <div class="inline">
        <Num label="Days back" value={span} set={setSpan} min={1} max={90} />
        <button type="button" onClick={run} disabled={busy}>
          {busy ? 'Looking …' : 'Dry run'}
        </button>
      </div>
      {problem && (
        <p class="faults" role="alert">
          {problem}
        </p>
      )}
      {found && <Outcomes found={found} />}
    </div>
  )
}

function Outcomes({ found }: { found: Trial }) {
  const silenced = Object.entries(found.silenced)
  const n = Object.keys(found.people).length
  return (
    <>
      <p>
        <b>{found.alerts}</b> messages to {n} {n === 1 ? 'person' : 'people'}, of {found.crossings} events in{' '}
        {found.fixes} positions since <time dateTime={found.from}>{exactly(found.from)}</time>
        {found.partial && ' (not all of them could be looked at)'}.
        {silenced.map(([why, n]) => ` ${n} more: ${why.replace('_', ' ')}.`)}
      </p>
      {found.outcomes.length === 0 ? (
        <Empty title="Nobody would have been told">
          <p>Choose other events, or look back further.</p>
        </Empty>
      ) : (
        <Table<Outcome>
          caption="What would have been told"
          rows={found.outcomes}
          id={o => `${o.at}/${o.vehicle}/${o.fence}/${o.kind}/${o.owner}`}
          columns={[
            {
              title: 'What',
              cell: o =>
                `${vehicles.value.get(o.vehicle)?.name || o.vehicle} ${kindWords(o.kind)} ${fenceName(o.fence)}`,
            },
            { title: 'When', cell: o => <time dateTime={o.at}>{exactly(o.at)}</time> },
            { title: 'To', cell: o => ownerName(o.owner) },
            { title: 'But', cell: o => o.reason?.replace('_', ' ') ?? '' },
          ]}
        />
      )}
    </>
  )
}
