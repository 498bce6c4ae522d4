import type { Firmware } from "../firmware";
import type { Link } from "../link";
import { ParameterError, type Parameters } from "../parameters";

/**
 * The link that a command is about, and where its other parameters begin: with AT+CIPMUX=1 the first parameter names
 * the link.
 */
export function target({ settings, links }: Firmware, parameters: Parameters): { link: Link; at: number } {
  if (!settings.multiple) {
    return { link: links.link(0), at: 0 };
  }
  return { link: links.link(parameters.integer(0, 0, links.all.length - 1, "idError")), at: 1 };
}

/** As {@link target}, for a command that sets something of one link or, by the number after the last, of all. */
export function targets({ settings, links }: Firmware, parameters: Parameters): { ids: readonly number[]; at: number } {
  if (!settings.multiple) {
    return { ids: [0], at: 0 };
  }
  const all = links.all.length;
  const id = parameters.integer(0, 0, all);
  return { ids: id === all ? links.all.map((link) => link.id) : [id], at: 1 };
}

/** What `list` has for a link: settings come one a link. */
export function ofLink<T>(list: readonly T[], id: number): T {
  const item = list[id];
  if (item === undefined) {
    throw new ParameterError();
  }
  return item;
}
