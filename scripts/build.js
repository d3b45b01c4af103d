// npm run build: installs what is missing and builds dist/.

import { build, install } from './project.js';

install();
build();
