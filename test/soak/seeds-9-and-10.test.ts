import { DAYS, neverStuck } from "./seeds";

neverStuck([9, 10], DAYS);
