"""What a release is made of."""

from training.bundle import read_bundle


def model_of(release):
    """Return what a release predicts with: its booster, its ridge regression and its calibrator."""
    booster, manifest = read_bundle(release)
    return booster, manifest.ridge, manifest.calibrator
