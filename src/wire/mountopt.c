/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/mountopt.h"
