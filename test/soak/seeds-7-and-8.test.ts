import { DAYS, neverStuck } from "./seeds";

neverStuck([7, 8], DAYS);
