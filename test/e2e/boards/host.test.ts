import { provesItself } from "./proof";

provesItself("host");
