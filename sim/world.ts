import type { SimClock } from "./clock";
import type { Random } from "./random";

/** The quantities that can be set from outside. */
export type Quantity = "temperature" | "humidity";

/** A level that the board drove onto a pin. */
export interface PinChange {
  /** ms of simulated time. */
  readonly time: number;
  readonly pin: number;
  readonly high: boolean;
}

export interface WorldOptions {
  /** Time of day when the simulation starts, in hours, 0 to 24. Default 9. */
  readonly startHour?: number;
  /** Pin of the button; it is pulled up, so pressed reads low. Default 15. */
  readonly buttonPin?: number;
}

/** How a quantity behaves when nobody holds it. */
interface Climate {
  readonly unit: string;
  /** What the sensor can tell; nothing outside can be set. */
  readonly sensorRange: readonly [number, number];
  /** What a room has. */
  readonly roomRange: readonly [number, number];
  readonly mean: number;
  /** Half of the difference between the day's extremes. */
  readonly swing: number;
  /** Hour of the day with the highest value. */
  readonly peakHour: number;
  /** Largest change in one step of {@link STEP_MS}. */
  readonly largestStep: number;
  readonly noise: number;
}

const CLIMATES: Record<Quantity, Climate> = {
  temperature: {
    unit: "°C",
    sensorRange: [-40, 125],
    roomRange: [18, 26],
    mean: 21.8,
    swing: 2.4,
    peakHour: 16,
    largestStep: 0.05,
    noise: 0.02,
  },
  humidity: {
    unit: "%RH",
    sensorRange: [0, 100],
    roomRange: [35, 60],
    mean: 47,
    swing: 6,
    peakHour: 5,
    largestStep: 0.2,
    noise: 0.1,
  },
};

const STEP_MS = 10_000;
const HOUR_MS = 3_600_000;
/** Share of the way back to the daily curve that a step goes. */
const PULL = 0.01;

/** Converter of the board: 12 bits over 0 to 3.3 V. */
const ADC_STEPS = 4096;
const ADC_REFERENCE_UV = 3_300_000;

const enum AnalogChannel {
  /** TMP36: 750 mV at 25 °C, 10 mV per °C. */
  Temperature = 0,
  /** HIH-5030 fed with 3.3 V: 3.3 V × (0.00636 × %RH + 0.1515). */
  Humidity = 1,
}

/** What surrounds the board: air with a temperature and a humidity, a button, and whatever hangs on its outputs. */
export class World {
  /** Every change of an output since the start, oldest first. */
  readonly pinChanges: PinChange[] = [];
  /** Called at every change of an output. */
  onPinChange: ((change: PinChange) => void) | undefined;
  readonly buttonPin: number;

  private readonly quantities: Record<Quantity, Drift>;
  private readonly driven = new Map<number, boolean>();
  private pressed = false;

  constructor(
    private readonly clock: SimClock,
    random: Random,
    options: WorldOptions = {},
  ) {
    const startHour = options.startHour ?? 9;
    this.buttonPin = options.buttonPin ?? 15;
    this.quantities = {
      temperature: new Drift(CLIMATES.temperature, clock, random.fork("temperature"), startHour),
      humidity: new Drift(CLIMATES.humidity, clock, random.fork("humidity"), startHour),
    };
  }

  /** °C */
  get temperature(): number {
    return this.quantities.temperature.value();
  }

  /** Relative humidity in percent. */
  get humidity(): number {
    return this.quantities.humidity.value();
  }

  /**
   * Sets a quantity ("temperature" in °C, -40 to 125; "humidity" in %RH, 0 to 100) and holds it there until
   * {@link release}. Throws a RangeError, a sentence for the user, for an unknown name or a value out of range.
   */
  set(name: string, value: number): void {
    const quantity = quantityNamed(name);
    const { sensorRange: [least, most], unit } = CLIMATES[quantity];
    if (!(value >= least && value <= most)) {
      throw new RangeError(`${name} must be from ${least} to ${most} ${unit}, not ${value}`);
    }
    this.quantities[quantity].hold(value);
  }

  /** Lets a quantity drift again, from where it is. Throws a RangeError for an unknown name. */
  release(name: string): void {
    this.quantities[quantityNamed(name)].release();
  }

  get buttonPressed(): boolean {
    return this.pressed;
  }

  pressButton(): void {
    this.pressed = true;
  }

  releaseButton(): void {
    this.pressed = false;
  }

  /** The level of a pin: the button's for its pin, what the board drives for its outputs, low for any other. */
  pinLevel(pin: number): boolean {
    if (pin === this.buttonPin) {
      return !this.pressed;
    }
    return this.driven.get(pin) ?? false;
  }

  /** The board drives a pin. Recorded when the level changes; the first low is no change. */
  drivePin(pin: number, high: boolean): void {
    const before = this.driven.get(pin) ?? false;
    this.driven.set(pin, high);
    if (before === high) {
      return;
    }
    const change = { time: this.clock.now, pin, high };
    this.pinChanges.push(change);
    this.onPinChange?.(change);
  }

  /** A board without power drives nothing. */
  releasePins(): void {
    for (const pin of this.driven.keys()) {
      this.drivePin(pin, false);
    }
  }

  /** The voltage on an analog channel in microvolts, in the converter's steps of 805.7 µV; -1 for no such channel. */
  microvolts(channel: number): number {
    switch (channel) {
      case AnalogChannel.Temperature:
        return quantise(750_000 + 10_000 * (this.temperature - 25));
      case AnalogChannel.Humidity:
        return quantise(3_300_000 * (0.00636 * this.humidity + 0.1515));
      default:
        return -1;
    }
  }
}

function quantityNamed(name: string): Quantity {
  if (name === "temperature" || name === "humidity") {
    return name;
  }
  throw new RangeError(`nothing here is called "${name}"; there are: ${Object.keys(CLIMATES).join(", ")}`);
}

function quantise(microvolts: number): number {
  const code = Math.round((microvolts / ADC_REFERENCE_UV) * ADC_STEPS);
  return Math.round((Math.min(Math.max(code, 0), ADC_STEPS - 1) * ADC_REFERENCE_UV) / ADC_STEPS);
}

/** One quantity: follows its daily curve in small random steps, worked out when somebody looks. */
class Drift {
  private current: number;
  private steps = 0;
  private held = false;

  constructor(
    private readonly climate: Climate,
    private readonly clock: SimClock,
    private readonly random: Random,
    private readonly startHour: number,
  ) {
    this.current = this.curve(0);
  }

  value(): number {
    const due = Math.floor(this.clock.now / STEP_MS);
    if (this.held) {
      this.steps = due;
    }
    for (; this.steps < due; this.steps += 1) {
      this.step();
    }
    return this.current;
  }

  hold(value: number): void {
    this.value();
    this.held = true;
    this.current = value;
  }

  release(): void {
    this.value();
    this.held = false;
  }

  private step(): void {
    const { largestStep, noise, roomRange: [least, most] } = this.climate;
    const wanted = PULL * (this.curve(this.steps * STEP_MS) - this.current) + this.random.between(-noise, noise);
    const stepped = this.current + clamp(wanted, -largestStep, largestStep);
    // A value that was held outside the room's range walks back into it; one inside never leaves.
    const inside = this.current >= least && this.current <= most;
    this.current = inside ? clamp(stepped, least, most) : stepped;
  }

  private curve(time: number): number {
    const { mean, swing, peakHour } = this.climate;
    const hour = this.startHour + time / HOUR_MS;
    return mean + swing * Math.cos(((hour - peakHour) / 24) * 2 * Math.PI);
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
