from .vgg import Vgg19
