import { keepsItsSession } from "./kept";

keepsItsSession("host");
