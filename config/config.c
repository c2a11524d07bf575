/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/status.h"
typedef int aff_config_scaffold;
