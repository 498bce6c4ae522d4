import { neverStuck } from "./seeds";

neverStuck([7, 8]);
