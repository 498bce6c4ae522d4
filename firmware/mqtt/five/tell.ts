/** What the application is told of what the broker says, and of what becomes of its messages. */
import type { Bytes, Millis } from "../../../hal/hal";
import { u16At } from "#native";
import { type Span } from "../../core/link";
import { type PacketType } from "../packet";
import { outboxBody } from "./packets";
import { findProperty, Property } from "./properties";
import { type FiveState, Unsent } from "./state";

function point(span: Span, bytes: Bytes, at: number, count: number): void {
  span.bytes = bytes;
  span.at = at;
  span.count = count;
}

/** Points `span` at the text of a property of the present packet. */
function pointAt({ properties }: FiveState, span: Span, id: Property): void {
  const found = findProperty(properties, id);
  point(span, properties.bytes, found ? properties.at : 0, found ? properties.count : 0);
}

/** Begins a report about a packet of the broker, whose properties are open. It is not about any topic. */
export function prepareReport(five: FiveState, packet: PacketType, reason: number, id: number): void {
  const report = five.report;
  report.packet = packet;
  report.reason = reason;
  report.id = id;
  point(report.topic, five.properties.bytes, 0, 0);
  pointAt(five, report.text, Property.ReasonString);
  pointAt(five, report.reference, Property.ServerReference);
}

/** It is about the message whose packet begins at `at` in the outbox. */
export function reportMessage(five: FiveState, queue: Bytes, at: number): void {
  pointAtTopic(five.report.topic, queue, at);
}

/** It is about the subscription to `filter`. */
export function reportFilter(five: FiveState, filter: Bytes): void {
  point(five.report.topic, filter, 0, filter.length);
}

function pointAtTopic(span: Span, queue: Bytes, at: number): void {
  const body = outboxBody(queue, at);
  point(span, queue, body + 2, u16At(queue, body));
}

export function tell({ own, report }: FiveState, now: Millis): void {
  const events = own.events;
  if (events?.told !== undefined) events.told(now, report);
}

/** A message in the outbox, whose packet begins at `at`, is going to be dropped. */
export function tellUnsent(five: FiveState, now: Millis, why: Unsent, queue: Bytes, at: number): void {
  countUnsent(five, why);
  const events = five.own.events;
  if (events?.unsent === undefined) return;
  pointAtTopic(five.report.topic, queue, at);
  events.unsent(now, why, five.report.topic);
}

export function countUnsent({ stats }: FiveState, why: Unsent): void {
  switch (why) {
    case Unsent.TooLarge:
      stats.tooLarge++;
      return;
    case Unsent.Qos:
      stats.qosTooHigh++;
      return;
    case Unsent.Retain:
      stats.retainRefused++;
      return;
    case Unsent.Expired:
      stats.expired++;
      return;
  }
}
