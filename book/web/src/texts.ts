import type { ControlsSource } from './controls/control-desk.ts'
import type { ReadCommand } from './controls/command-text.ts'
import type { DataState } from './data/data-state.ts'
import type { LinkProblem } from './links/link-state.ts'
import type { ParameterProblem } from './parameters/stream-parameters.ts'
import type { UnsupportedReason } from './video/video-player.ts'
import type { VideoState } from './video/video-state.ts'

/** Everything the lab page says, in one place. Sentences say what is so, and what to do where there is something. */
export const texts = {
  defaultTitle: 'Lab',
  video: 'Video',
  data: 'Data',
  instrument: 'Instrument',
  controls: 'Controls',
  measurements: 'Measurements',
  sendCommand: 'Send a command',
  timeLeft: 'Time left',
  stateOf: (what: string, state: string): string => `${what}: ${state}`,

  videoStates: {
    connecting: 'connecting',
    waiting: 'waiting for picture',
    live: 'live',
    frozen: 'frozen',
    retrying: 'reconnecting',
    refused: 'refused',
    unsupported: 'cannot be shown',
    ended: 'ended',
  } satisfies Record<VideoState, string>,

  dataStates: {
    connecting: 'connecting',
    waiting: 'waiting for data',
    live: 'live',
    quiet: 'quiet',
    retrying: 'reconnecting',
    refused: 'refused',
    ended: 'ended',
  } satisfies Record<DataState, string>,

  none: 'none',

  /** What went wrong with a link. */
  linkProblems: {
    refused:
      'The relay does not accept the permission for this stream; it may have ended or been withdrawn. Open the experiment again from your booking page.',
    cancelled: 'This booking was cancelled, so the relay has closed the stream. Book again to go on.',
    'not-found':
      'The relay does not know the address of this stream. Open the experiment again from your booking page.',
    busy: 'The relay is busy and asks for patience.',
    'relay-trouble': 'The relay has a problem of its own.',
    nonsense:
      'The relay gave an answer that makes no sense. Tell the owner of the experiment if this stays so.',
    network: 'The relay cannot be reached. Check your network connection.',
    timeout: 'The relay does not answer in time.',
    'relay-down': 'The relay accepted the permission, but the connection to it could not be opened.',
    dropped: 'The connection was lost.',
    silent: 'Nothing came for a while, so a fresh connection is made.',
    'not-utf8': 'The instrument sent text that is not UTF-8, and the browser closed the connection.',
  } satisfies Record<LinkProblem, string>,
  nextTry: (seconds: number): string => (seconds <= 0 ? 'Trying again.' : `Next try in ${seconds} s.`),
  tryNow: 'Try now',
  tryAgain: 'Try again',

  // Video
  cameraLabel: (name: string): string => `Live picture of the experiment, stream ${name}`,
  chooseCamera: 'Camera',
  videoConnecting: 'Connecting to the camera',
  videoWaiting: 'Connected. Waiting for the first picture',
  videoWaitingLong: 'Connected, but no picture yet. The camera may be switched off or still starting.',
  videoFrozen: (seconds: number): string => `No new picture for ${seconds} s. This is the last one.`,
  videoEnded: 'The session has ended.',
  videoUnsupported: {
    codec: 'The camera sends a kind of video that this page cannot show. It shows MPEG-1 and H.264.',
    browser: 'This browser cannot show H.264 live. Use a current Chrome, Edge, Firefox or Safari.',
  } satisfies Record<UnsupportedReason, string>,
  noVideoStream: 'This experiment has no camera stream.',
  videoFigures: (figures: {
    readonly rate: string
    readonly age: string
    readonly jitter: string
    readonly skipped: number
  }): string =>
    `${figures.rate} pictures/s, last one ${figures.age} ago, varies by ${figures.jitter}` +
    (figures.skipped > 0 ? `, ${figures.skipped} skipped` : ''),

  // Data
  roundTrip: 'Round trip',
  setUpTime: 'Link set-up',
  latencyTitle: {
    'round-trip': 'Median time to the instrument and back, over the last 15 pings',
    'set-up': 'Time it took to open the link; the instrument does not answer pings',
  },
  notMeasured: '–',
  noDataStream: 'This experiment has no data stream, so there is nothing to plot or control.',
  connecting: 'Connecting to the instrument.',
  noNumbers: 'No numbers yet.',
  waitingForData: 'Connected. The instrument has not sent any numbers yet.',
  quiet: 'The instrument is quiet: the link is open, but no numbers come.',
  pause: 'Pause',
  resume: 'Resume',
  paused: 'Paused: the chart stands still, measuring goes on.',
  chartLabel: (names: string, seconds: number): string =>
    `Chart of ${names === '' ? 'no signal' : names} over the last ${seconds} seconds. The table below holds the numbers.`,
  chartAxis: 'seconds before the newest sample',
  tableCaption: 'Signals: newest value and range of the last 30 seconds',
  columns: { signal: 'Signal', now: 'Now', lowest: 'Lowest', highest: 'Highest' },
  showInChart: (name: string): string => `Show ${name} in the chart`,
  speakValues: 'Read values aloud every 10 s',
  spokenValue: (name: string, value: string, unit: string): string => `${name} ${value} ${unit}`.trim(),
  yes: 'yes',
  no: 'no',

  // Controls
  stop: 'Stop',
  stopHint: 'Stop the instrument (Escape key)',
  stopSent: (time: string): string => `Stop sent at ${time}.`,
  stopConfirmed: (time: string): string => `Stopped. Sent at ${time}, confirmed by the instrument.`,
  stopUnconfirmed: (time: string): string =>
    `Stop was sent at ${time}, but the instrument still reports that it is running.`,
  stopWaiting: 'Stop could not be sent: no connection. It will be sent first when the link is back.',
  start: 'Start',
  controlsSource: {
    asking: 'Asking the instrument for its controls.',
    instrument: '',
    settings: '',
    default: 'The instrument did not describe its controls; these are common ones and may not fit.',
  } satisfies Record<ControlsSource, string>,
  noControls: 'The instrument has no set-points.',
  watchOnly: 'Your booking allows watching only, so the controls are switched off.',
  notSent: 'Not sent: no connection to the instrument.',
  exactValue: (label: string): string => `${label}, exact value`,
  outOfRange: (min: string, max: string): string => `Between ${min} and ${max}.`,
  notANumber: 'A number is needed here.',

  // Send box
  commandLabel: 'JSON for the instrument',
  commandHint: 'Enter sends, Shift and Enter make a new line.',
  send: 'Send',
  commandSent: 'Sent.',
  commandProblem: (read: Extract<ReadCommand, { ok: false }>): string => {
    switch (read.reason) {
      case 'empty':
        return 'Type a command first, for example {"cmd":"describe"}.'
      case 'too-long':
        return 'This is longer than any command may be. Send less at once.'
      case 'not-json':
        break
    }
    return `This is not JSON, so it was not sent: ${read.detail}`
  },
  answers: 'Answers',

  // Time
  endsAt: (time: string): string => `until ${time}`,
  fiveMinutesLeft: 'Less than five minutes left.',
  oneMinuteLeft: 'Less than one minute left.',
  sessionEnded: 'The session has ended. Video and data are closed.',

  // Notices
  unusedStreams: (names: string): string => `Streams that this page does not show: ${names}.`,
  settingsUnreadable: 'The settings of this experiment could not be read; the page goes on without them.',
  dismiss: 'Close this notice',

  // Problems with the link
  problemTitle: 'This experiment cannot be opened',
  problem: problemSentence,
  problemAdvice:
    'Links to experiments are made by the booking page and hold only as long as the booking. Go back to your booking page and open the experiment from there.',
} as const

function problemSentence(problem: ParameterProblem): string {
  switch (problem.code) {
    case 'no-streams':
      return 'The link holds no streams, so the page does not know which experiment to show.'
    case 'bad-json':
      return 'The list of streams in the link cannot be read; perhaps the link was cut off or changed on its way.'
    case 'not-a-list':
      return 'The streams in the link are not a list, so the page cannot use them.'
    case 'empty-list':
      return 'The list of streams in the link is empty: this experiment has nothing to show.'
    case 'bad-stream':
      return problem.field === 'stream'
        ? `Stream ${problem.position} in the link is not an object with an address and a token.`
        : `Stream ${problem.position} in the link has no usable ${problem.field === 'url' ? 'address (url)' : 'token'}.`
    case 'insecure-stream':
      return `Stream ${problem.position} has an http: address, which browsers refuse on a secure page. The owner of the experiment must give it an https: address.`
    case 'no-usable-stream':
      return `The link has neither a video nor a data stream, only: ${problem.names.join(', ')}.`
    case 'bad-exp':
      return `The end of the booking in the link (exp=${problem.text}) is not a time in seconds.`
    case 'expired':
      break
  }
  return `This session ended on ${new Date(problem.endedAtMs).toLocaleString('en-GB')}. If that is not so, the clock of this device may be wrong.`
}
