"""What a network looks at: Grad-CAM as a tensor, and all that `tensorflow-vgg explain` shows of an image."""

from tensorflow_vgg._network.cam import grad_cam

__all__ = ["grad_cam"]
