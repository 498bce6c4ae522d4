import { keepsItsSession } from "./kept";

keepsItsSession("pico");
