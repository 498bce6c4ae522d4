import { DAYS, neverStuck } from "./seeds";

neverStuck([1, 2], DAYS);
