// Multi-scalar multiplication in G2; see msm.cuh.

#include "msm.cuh"

AITBC_MSM_KERNELS(Fq2, 128, 2)
