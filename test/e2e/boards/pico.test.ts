import { provesItself } from "./proof";

provesItself("pico");
