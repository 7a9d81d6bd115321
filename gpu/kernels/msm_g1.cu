// Multi-scalar multiplication in G1; see msm.cuh.

#include "msm.cuh"

AITBC_MSM_KERNELS(Fq, 128, 4)
