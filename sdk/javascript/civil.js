// The proleptic Gregorian calendar and the texts of ISO 8601, read strictly; what is counted, the types of time.js say.

export const MICROSECONDS_A_DAY = 86_400_000_000;

// Days from 0000-03-01, where the years of this arithmetic begin, to 1970-01-01.
const MARCH_0_TO_1970 = 719_468;
// Days of 400 years: the calendar repeats.
const DAYS_AN_ERA = 146_097;

/**
 * Days since 1970-01-01; undefined if there is no such day.
 */
export function days(year, month, day) {
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= daysOfMonth(year, month))) {
    return undefined;
  }
  // Years from March on, so that the leap day is a year's last.
  const marchYear = month <= 2 ? year - 1 : year;
  const marchMonth = month <= 2 ? month + 9 : month - 3;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * marchMonth + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * DAYS_AN_ERA + dayOfEra - MARCH_0_TO_1970;
}

/**
 * Year, month from 1 and day from 1.
 */
export function yearMonthDay(daysSince1970) {
  const shifted = daysSince1970 + MARCH_0_TO_1970;
  const era = Math.floor(shifted / DAYS_AN_ERA);
  const dayOfEra = shifted - era * DAYS_AN_ERA;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return [yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day];
}

function daysOfMonth(year, month) {
  if (month === 2) {
    return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  }
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/**
 * `2024-02-29`; years outside 0 to 9999 have a sign, as ISO 8601 has it.
 */
export function writeDate(daysSince1970) {
  const [year, month, day] = yearMonthDay(daysSince1970);
  const digits = String(Math.abs(year)).padStart(4, "0");
  const sign = year < 0 ? "-" : year > 9999 ? "+" : "";
  return `${sign}${digits}-${two(month)}-${two(day)}`;
}

/**
 * `09:30:00`, and up to six digits of a second's fraction where there is one.
 */
export function writeTime(microseconds) {
  const seconds = Math.floor(microseconds / 1e6);
  const fraction = microseconds - seconds * 1e6;
  const text = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return fraction === 0 ? text : `${text}.${String(fraction).padStart(6, "0").replace(/0+$/, "")}`;
}

function two(number) {
  return number < 10 ? `0${number}` : String(number);
}

/**
 * Days since 1970 of `2024-02-29`, or of a year with a sign and four to seven digits; undefined if it is none.
 */
export function parseDate(text) {
  const found = /^([0-9]{4}|[+-][0-9]{4,7})-([0-9]{2})-([0-9]{2})$/.exec(text);
  return found ? days(Number(found[1]), Number(found[2]), Number(found[3])) : undefined;
}

/**
 * Microseconds since midnight of `09:30:00.25`, or of 24:00:00 itself; undefined if it is none.
 */
export function parseTime(text) {
  const found = /^([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,6})0*)?$/.exec(text);
  if (!found) {
    return undefined;
  }
  const [hour, minute, second] = found.slice(1, 4).map(Number);
  const within = (hour * 3600 + minute * 60 + second) * 1e6 + Number((found[4] ?? "").padEnd(6, "0"));
  return within === MICROSECONDS_A_DAY || hour < 24 ? (minute < 60 && second < 60 ? within : undefined) : undefined;
}

/**
 * Microseconds since 1970 in UTC, a `bigint`, of `2024-02-29T13:30:00+01:30`; undefined if it is none.
 */
export function parseTimestamp(text) {
  const found = /^([^Tt ]+)[Tt ]([0-9:.]+)(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))$/.exec(text);
  if (!found) {
    return undefined;
  }
  const date = parseDate(found[1]);
  const time = parseTime(found[2]);
  const [hours, minutes] = [Number(found[4] ?? 0), Number(found[5] ?? 0)];
  if (date === undefined || time === undefined || hours > 23 || minutes > 59) {
    return undefined;
  }
  const offset = (hours * 60 + minutes) * 60e6 * (found[3] === "-" ? -1 : 1);
  return BigInt(date) * BigInt(MICROSECONDS_A_DAY) + BigInt(time - offset);
}
