import { DAYS, neverStuck } from "./seeds";

neverStuck([5, 6], DAYS);
