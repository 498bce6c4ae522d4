import { DAYS, neverStuck } from "./seeds";

neverStuck([3, 4], DAYS);
